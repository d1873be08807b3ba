import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runAs } from './run-as.js';
import { give } from './server-user.js';
import type { ServerUser } from './server-user.js';
import { temporaryFolder } from './temporary-folder.js';

/** The port is only part of the socket's file name, so a fixed one is fine: each server has its own directory. */
export const SOCKET_PORT = 5432;

/** Maximum length of a socket path in bytes. The address of a Unix socket holds 107 bytes on Linux and 103 on macOS. */
const LONGEST_SOCKET_PATH = 103;

/**
 * Creates the directory for the server's socket in `parent`. If that path is too long or the server's user cannot
 * access it, creates the directory in a temporary folder instead, under a name derived from `parent`. Its mode 0700 is
 * the only authentication: every process that can access the socket is trusted.
 */
export async function makeSocketDirectory(parent: string, user: ServerUser | undefined): Promise<string> {
  const wanted = join(parent, 'postgres-run');
  if (Buffer.byteLength(join(wanted, `.s.PGSQL.${SOCKET_PORT}`)) <= LONGEST_SOCKET_PATH) {
    await makePrivate(wanted, user);
    if (await canEnter(user, wanted)) return wanted;
  }
  const key = createHash('sha256').update(parent).digest('hex').slice(0, 16);
  const short = join(await temporaryFolder(), `mcp-registry-${key}`);
  // In a world-writable directory, another user may have created the path first.
  const found = await lstat(short).catch(() => undefined);
  if (found && (!found.isDirectory() || ![process.getuid?.(), user?.uid].includes(found.uid))) {
    throw new Error(
      `${short}, the directory for the socket of Postgres, belongs to user ${found.uid}, not to this one: remove it`,
    );
  }
  await makePrivate(short, user);
  return short;
}

async function makePrivate(directory: string, user: ServerUser | undefined): Promise<void> {
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o700);
  await give(directory, user);
}

function canEnter(user: ServerUser | undefined, directory: string): Promise<boolean> {
  return runAs(user, '/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory]).then(
    () => true,
    () => false,
  );
}
