import { parseServeConfig, SERVE_USAGE } from '#environment/serve-config.js';
import { RegistryError } from '#domain/registry-error.js';
import { createConsoleLogger } from '#observability/console-logger.js';
import { endOnUncaughtErrors } from '#observability/uncaught-errors.js';
import { killAllGroups } from '#subprocess/process-group.js';

/**
 * A pod that has not stopped after 30 s is killed. Stopping earlier gives its child processes time to be stopped too.
 */
const SHUTDOWN_MS = 28_000;

/** Runs the command `serve`. */
export async function main(args: readonly string[]): Promise<void> {
  const parsed = parseServeConfig(args);
  if ('help' in parsed) return void process.stdout.write(SERVE_USAGE);
  if ('faults' in parsed) return refuse(parsed.faults);
  const logger = createConsoleLogger(parsed.config.logLevel);

  const stopping = new AbortController();
  const stop = (): void => {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error('stop requested'));
    setTimeout(abandon, SHUTDOWN_MS).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  endOnUncaughtErrors({ report: (err, origin) => logger.fatal({ err, origin }, 'uncaught error'), stop });

  try {
    const serve = await loadServer(parsed.config.readOnly);
    await serve(parsed.config, { signal: stopping.signal, logger });
  } catch (error) {
    if (!stopping.signal.aborted) {
      if (error instanceof RegistryError && error.destiny === 'stop') refuse(error.message.split('\n'));
      else {
        logger.fatal({ err: error }, 'server failed');
        process.exitCode = 1;
      }
    }
  }
  // Open handles of libraries, such as the threads of Temporal's core, must not keep the pod alive.
  process.exit();
}

/** Loads the server or the read-only server, which has no memory to spare for Temporal's client. */
async function loadServer(isReadOnly: boolean) {
  return isReadOnly ? (await import('./serve-reads.js')).serveReads : (await import('./serve.js')).serve;
}

function refuse(faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`error: ${fault}\n`);
  process.exitCode = 2;
}

function abandon(): void {
  killAllGroups();
  process.exit(1);
}
