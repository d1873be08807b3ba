import { constants } from 'node:os';
import { STANDALONE_USAGE } from '#environment/standalone-arguments.js';
import { parseStandaloneConfig } from '#environment/standalone-config.js';
import { endOnUncaughtErrors } from '#observability/uncaught-errors.js';
import { killAllGroups } from '#subprocess/process-group.js';
import { listFiles } from './documents/read-manifests.js';
import { Standalone } from './standalone.js';

/** A shutdown that takes longer than this is given up. */
const SHUTDOWN_MS = 9_000;

/** Ctrl-C in a terminal reaches this process and npm, which passes it on: two signals so close together are one wish. */
const SAME_WISH_MS = 1_500;

const stdout = (text: string): void => void process.stdout.write(`${text}\n`);
const stderr = (text: string): void => void process.stderr.write(`${text}\n`);

/** The command `standalone`. */
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

  /** Ends everything in order; asked again, or when that takes too long, at once. */
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
  // Whatever a library still holds open (Temporal's core has threads of its own) must not keep the terminal.
  process.exit();
}

/** Documents that go later are another matter: their registries stay. */
async function pathFaults(paths: readonly string[]): Promise<string[]> {
  return (await listFiles(paths)).flatMap(({ path, failure }) => (failure === undefined ? [] : `${path}: ${failure}`));
}

/** Without patience: the next start puts right what this leaves behind. */
function abandon(): void {
  killAllGroups();
  process.exit();
}
