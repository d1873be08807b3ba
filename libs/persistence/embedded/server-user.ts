import { chown, lstat, readFile } from 'node:fs/promises';

/** The unprivileged user that Postgres runs as if this process is root, because Postgres refuses to run as root. */
export interface ServerUser {
  uid: number;
  gid: number;
}

const NOBODY: ServerUser = { uid: 65534, gid: 65534 };

/**
 * Returns the user for the server. For an ordinary user, this is undefined: Postgres then runs as that user. For root,
 * it is the owner of existing data, so that data created by an ordinary user stays usable, and `nobody` for new data.
 */
export async function chooseServerUser(data: string): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await lstat(data).catch(() => undefined);
  if (existing?.isDirectory() && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  return nobody();
}

async function nobody(): Promise<ServerUser> {
  const passwd = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const [uid, gid] = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(passwd)?.slice(1).map(Number) ?? [];
  return uid === undefined || gid === undefined ? NOBODY : { uid, gid };
}

/**
 * Changes the owner of a path to the server's user. An ordinary user already owns it. (On macOS, the id of `nobody` is
 * -2.)
 */
export async function give(path: string, user: ServerUser | undefined): Promise<void> {
  if (user) await chown(path, user.uid >>> 0, user.gid >>> 0);
}
