import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** The part of a structured logger that is used here: fields first, then a constant message. */
export interface FieldLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Warnings about what is meant so: a failed activity or sync is an outcome that is reported, and sync workers run activities only. */
const EXPECTED = new Set([
  'Activity failed',
  'Workflow failed',
  'No workflows registered, not polling for workflow tasks',
]);

/**
 * Once per process, before its first connection: Temporal's runtime must not take SIGINT and SIGTERM for itself, since
 * one owner decides in which order things end; and what it logs goes where everything else goes.
 */
export function installTemporalRuntime(logger: FieldLogger): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      const fields = { ...meta, component: 'temporal' };
      if (level === 'ERROR') logger.error(fields, message);
      else if (level === 'WARN' && !EXPECTED.has(message)) logger.warn(fields, message);
      else logger.debug(fields, message);
    }),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} } },
  });
}
