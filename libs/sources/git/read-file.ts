import { posix } from 'node:path';
import { RegistryError } from '#domain/registry-error.js';
import { didYouMean, nearNames } from '../near-names.js';
import type { SourceContext } from '../context.js';
import { fetchWithBlobs } from './fetch-commit.js';
import type { Git } from './git.js';
import type { WantedRef } from './resolve-ref.js';

/**
 * Maximum size of a file that is kept for the next fetch. If the server knows that a file is present, it sends a delta,
 * and git keeps both versions in memory to apply it (measured: 197 MiB instead of 13 for a file of 102 MB). A complete
 * file is streamed.
 */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

export interface FileAtCommit {
  readonly commit: string;
  readonly path: string;
  /** How messages refer to the file: `registry.json at main@3f2c…`. */
  readonly label: string;
  readonly wanted: WantedRef;
}

/**
 * Writes one file of a fetched commit to `target`. The commit's trees are available locally; the blob is fetched now.
 * Throws a RegistryError, for example `FileNotFound` with similar names.
 */
export async function readFileAt(git: Git, file: FileAtCommit, target: string, context: SourceContext): Promise<void> {
  const blob = await findBlob(git, file);
  if (!file.path.endsWith('.json')) {
    throw new RegistryError(
      'FileNotFound',
      `${describe(git, file)} is not a .json file: set git.path to one, or to a folder.`,
    );
  }
  const bytes = await sizeOf(git, blob, file);
  const limit = context.settings.maxFileBytes;
  if (bytes > limit) {
    throw new RegistryError('InvalidData', `${describe(git, file)} has ${bytes} bytes; at most ${limit} are read.`);
  }
  await git.remotely(['cat-file', 'blob', blob], { stdoutFile: target, maxOutputBytes: limit });
  if (bytes > MAX_KEPT_BYTES) await git.discard();
}

async function findBlob(git: Git, file: FileAtCommit): Promise<string> {
  const path = posix.normalize(file.path);
  const { stdout } = await git.local(['ls-tree', '-z', '--full-tree', '--end-of-options', file.commit, path]);
  const [mode, , objectId] = (stdout.split('\0')[0] ?? '').split(/[ \t]/);
  const refuse = (why: string) => new RegistryError('FileNotFound', `${describe(git, file)} ${why}`);
  switch (mode) {
    case '100644':
    case '100755':
    case '100664':
      return objectId as string;
    case '120000':
      throw refuse('is a symbolic link, which is not followed: set git.path to the file itself.');
    case '160000':
      throw refuse('is a submodule, which is not fetched: use its own repository as a source.');
    default:
      throw refuse(`does not exist.${didYouMean(await nearFiles(git, file))}`);
  }
}

async function nearFiles(git: Git, { commit, path }: FileAtCommit): Promise<string[]> {
  try {
    const { stdout } = await git.local([
      'ls-tree',
      '-r',
      '-z',
      '--full-tree',
      '--name-only',
      '--end-of-options',
      commit,
    ]);
    const files = stdout.split('\0').filter((name) => name.endsWith('.json'));
    return nearNames(path, files);
  } catch (error) {
    // Hints are omitted if they are expensive, because a tree may be crafted to have more files than can be listed.
    if (error instanceof RegistryError) return [];
    throw error;
  }
}

/** Returns the size of a blob. This first access to the blob fetches it from the remote. */
async function sizeOf(git: Git, blob: string, file: FileAtCommit): Promise<number> {
  const args = ['cat-file', '-s', blob];
  try {
    return Number((await git.remotely(args)).stdout);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== 'RefNotFound') throw error;
    await fetchWithBlobs(git, file.commit, file.wanted);
    return Number((await git.remotely(args)).stdout);
  }
}

export function describe(git: Git, { label }: FileAtCommit): string {
  return `${label} in ${git.remote.name}`;
}
