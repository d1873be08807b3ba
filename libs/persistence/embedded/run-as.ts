import { run } from '#subprocess/run.js';
import type { ServerUser } from './server-user.js';

/** All that Postgres' programs see of the environment: nothing of ours leaks in, and messages are in English. */
export const SERVER_ENVIRONMENT = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' };

const TIMEOUT_MS = 5 * 60_000;
const OUTPUT_LIMIT = 1024 * 1024;
/** The server reserves far more address space than it uses. */
const LIMITS = { addressSpaceBytes: 16 * 1024 ** 3, residentBytes: 2 * 1024 ** 3, fileBytes: 1024 ** 3 };

/**
 * Runs a program to its end as the given user (undefined: ourselves). On abort what it started ends with it: initdb has
 * servers of its own. Throws what it said on standard error.
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
