import { pino } from 'pino';
import type { Logger } from 'pino';

/** Creates a logger that writes JSON lines to standard output, from which a cluster collects them. */
export function createConsoleLogger(level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
