import { constants } from 'node:os';
import { STANDALONE_USAGE } from '#environment/standalone-arguments.js';
import { parseStandaloneConfig } from '#environment/standalone-config.js';
import { endOnUncaughtErrors } from '#observability/uncaught-errors.js';
import { killAllGroups } from '#subprocess/process-group.js';
import { listFiles } from './documents/read-manifests.js';
import { Standalone } from './standalone.js';

/** Maximum duration of a shutdown, after which the process exits. */
const SHUTDOWN_MS = 9_000;

/** Ctrl-C in a terminal reaches this process and npm, which forwards it. Two signals within this time count as one. */
const SAME_WISH_MS = 1_500;

const stdout = (text: string): void => void process.stdout.write(`${text}\n`);
const stderr = (text: string): void => void process.stderr.write(`${text}\n`);

/** Runs the command `standalone`. */
export async function main(args: readonly string[]): Promise<void> {
  const parsed = parseStandaloneConfig(args);
  if ('help' in parsed) return stdout(STANDALONE_USAGE);
  const faults = 'faults' in parsed ? parsed.faults : await pathFaults(parsed.config.paths);
  if ('faults' in parsed || faults.length > 0) {
    for (const fault of faults) stderr(`error: ${fault}`);
    process.exitCode = 2;
    return;
  }
  const stopping = new AbortController();
  const standalone = new Standalone(parsed.config, { stdout, stderr, signal: stopping.signal });

  /** Stops everything in order, or exits immediately at a second request or if the shutdown takes too long. */
  let askedAt: number | undefined;
  const stop = (exitCode: number): void => {
    if (askedAt === undefined) {
      askedAt = performance.now();
      process.exitCode = exitCode;
      stopping.abort(new Error('interrupted'));
      setTimeout(abandon, SHUTDOWN_MS).unref();
    } else if (performance.now() - askedAt > SAME_WISH_MS) {
      abandon();
    }
  };
  const tell = (error: unknown): void => {
    if (stopping.signal.aborted) return;
    stderr(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => stop(128 + constants.signals[signal]));
  }
  endOnUncaughtErrors({ report: tell, stop: () => askedAt ?? stop(1) });

  await standalone.run().catch(tell);
  // Open handles of libraries, such as the threads of Temporal's core, must not block the terminal.
  process.exit();
}

/** Returns an error for each path that is missing at the start. If documents disappear later, their registries stay. */
async function pathFaults(paths: readonly string[]): Promise<string[]> {
  return (await listFiles(paths)).flatMap(({ path, failure }) => (failure === undefined ? [] : `${path}: ${failure}`));
}

/** Exits without waiting. The next start repairs whatever is left behind. */
function abandon(): void {
  killAllGroups();
  process.exit();
}
