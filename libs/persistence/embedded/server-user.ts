import { chown, lstat, readFile } from 'node:fs/promises';

/** The unprivileged user that Postgres runs as when we are root: as root it refuses to run. */
export interface ServerUser {
  uid: number;
  gid: number;
}

const NOBODY: ServerUser = { uid: 65534, gid: 65534 };

/**
 * Undefined when we are an ordinary user: then Postgres runs as ourselves. As root it runs as the owner of the data
 * that is there already, so that data begun as an ordinary user stays usable, and as `nobody` for new data.
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

/** Nothing to do for an ordinary user: what it made is its own. (macOS counts `nobody` as -2.) */
export async function give(path: string, user: ServerUser | undefined): Promise<void> {
  if (user) await chown(path, user.uid >>> 0, user.gid >>> 0);
}
