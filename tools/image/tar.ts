import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The same bytes for the same content: no times, one order, owners as numbers. */
const ALIKE = ['--format=gnu', '--sort=name', '--mtime=@0', '--numeric-owner'];

/** Files as an archive's members, symlinks as what they point to. */
export function tarFiles(folder: string, names: readonly string[], out: string): Promise<void> {
  return tar(['--dereference', '-cf', out, '-C', folder, ...names]);
}

/** Packs a folder as part of a root file system that belongs to root. */
export function tarAsRoot(folder: string, out: string): Promise<void> {
  return tar(['--owner=0', '--group=0', '-cf', out, '-C', folder, '.']);
}

/** A whole root file system, with the owners that it has. */
export function tarWithOwners(root: string, out: string): Promise<void> {
  return tar(['--one-file-system', '-cf', out, '-C', root, '.']);
}

async function tar(args: readonly string[]): Promise<void> {
  await promisify(execFile)('tar', [...ALIKE, ...args]);
}
