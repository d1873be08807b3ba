import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** The methods of a structured logger that are used here: fields first, then a constant message. */
export interface FieldLogger {
  debug(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Warnings about normal situations: a failed activity or sync is a result that is reported, and sync workers run only
 * activities.
 */
const EXPECTED = new Set([
  'Activity failed',
  'Workflow failed',
  'No workflows registered, not polling for workflow tasks',
]);

/**
 * Installs the Temporal runtime. Must be called once per process, before the first connection. The runtime must not
 * handle SIGINT and SIGTERM itself, because the shutdown order is decided in one place. Its log output goes to the
 * given logger.
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
