import { chmod, copyFile, lstat, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { PostgresPackage } from './postgres-package.js';
import { runAs } from './run-as.js';
import type { ServerUser } from './server-user.js';

export interface Binaries {
  postgres: string;
  initdb: string;
}

const COPY_PREFIX = 'postgres-binaries-';

/**
 * Returns the packaged programs in a place where the server's user can run them. That is where npm installed them, or a
 * copy in `home` if the user cannot access that place (below /root) or if symlinks are missing because install scripts
 * are blocked. The name of a copy contains its version, and the copy is made only once.
 */
export async function placeBinaries(
  { native, version }: PostgresPackage,
  home: string,
  user: ServerUser | undefined,
): Promise<Binaries> {
  const installed = binariesIn(native);
  // Runs a program, because that is the only proof that the user can read the programs, all parent folders and all
  // libraries.
  if (await runAs(user, installed.initdb, ['--version']).then(...yes)) return installed;

  const copy = join(home, `${COPY_PREFIX}${version}`);
  if (!(await lstat(copy).then(...yes))) await copyBinaries(native, copy);
  const binaries = binariesIn(copy);
  await runAs(user, binaries.initdb, ['--version']).catch((error: Error) => {
    const message = `The packaged Postgres does not run here (${error.message}): set DATABASE_URL to a Postgres server`;
    throw new Error(message, { cause: error });
  });
  return binaries;
}

const yes = [() => true, () => false] as const;

function binariesIn(folder: string): Binaries {
  return { postgres: join(folder, 'bin', 'postgres'), initdb: join(folder, 'bin', 'initdb') };
}

async function copyBinaries(native: string, destination: string): Promise<void> {
  const home = dirname(destination);
  for (const name of await readdir(home)) {
    if (name.startsWith(COPY_PREFIX)) await rm(join(home, name), { recursive: true, force: true });
  }
  const unfinished = await mkdtemp(`${destination}.new-`);
  for (const part of ['bin', 'lib', 'share']) await copyReadable(join(native, part), join(unfinished, part));
  await restoreSymlinks(native, unfinished);
  await chmod(unfinished, 0o755);
  await rename(unfinished, destination);
}

/**
 * Copies a folder so that everyone can read it, even if a strict umask restricts access to the original. Symlinks are
 * restored later.
 */
async function copyReadable(from: string, to: string): Promise<void> {
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyReadable(source, target);
    else if (entry.isFile() && !entry.name.endsWith('.a')) {
      await copyFile(source, target);
      await chmod(target, (await lstat(source)).mode & 0o100 ? 0o755 : 0o644);
    }
  }
}

/**
 * Restores the symlinks of the package. An npm package cannot contain symlinks, so this one lists them as paths from
 * its root, for example `native/lib/libpq.so.5`.
 */
async function restoreSymlinks(native: string, copy: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(relative(dirname(target), source), join(copy, relative('native', target)));
  }
}
