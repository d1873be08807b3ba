import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Options that make the archive reproducible: no timestamps, a fixed order, numeric owners. */
const ALIKE = ['--format=gnu', '--sort=name', '--mtime=@0', '--numeric-owner'];

/** Packs files as members of an archive. Symlinks are replaced with the files that they point to. */
export function tarFiles(folder: string, names: readonly string[], out: string): Promise<void> {
  return tar(['--dereference', '-cf', out, '-C', folder, ...names]);
}

/** Packs a folder as a part of a root file system, with root as the owner of all files. */
export function tarAsRoot(folder: string, out: string): Promise<void> {
  return tar(['--owner=0', '--group=0', '-cf', out, '-C', folder, '.']);
}

/** Packs a whole root file system, and keeps the owners of its files. */
export function tarWithOwners(root: string, out: string): Promise<void> {
  return tar(['--one-file-system', '-cf', out, '-C', root, '.']);
}

async function tar(args: readonly string[]): Promise<void> {
  await promisify(execFile)('tar', [...ALIKE, ...args]);
}
