import { run } from '#subprocess/run.js';
import type { ServerUser } from './server-user.js';

/**
 * The complete environment of the Postgres programs. Nothing of this process' environment is passed on, and messages
 * are in English.
 */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' };

const TIMEOUT_MS = 5 * 60_000;
const OUTPUT_LIMIT = 1024 * 1024;
/** Resource limits. The server reserves far more address space than it uses. */
const LIMITS = { addressSpaceBytes: 16 * 1024 ** 3, residentBytes: 2 * 1024 ** 3, fileBytes: 1024 ** 3 };

/**
 * Runs a program until it exits, as the given user (undefined: the current one). On abort, the processes that it
 * started are stopped too, because initdb starts servers. Throws an error with the program's standard error output.
 */
export async function runAs(
  user: ServerUser | undefined,
  command: string,
  args: string[],
  signal = new AbortController().signal,
): Promise<void> {
  const { exitCode, stderr } = await run(command, args, {
    cwd: '/',
    user,
    env: SERVER_ENVIRONMENT,
    signal,
    timeoutMs: TIMEOUT_MS,
    limits: LIMITS,
    maxOutputBytes: OUTPUT_LIMIT,
  });
  if (exitCode !== 0) throw new Error(stderr.trim() || `${command} ended with exit code ${exitCode}`);
}
