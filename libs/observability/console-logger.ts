import { pino } from 'pino';
import type { Logger } from 'pino';

/** Structured JSON lines on standard output, for a process whose output a cluster collects. */
export function createConsoleLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
