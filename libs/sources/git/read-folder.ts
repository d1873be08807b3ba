import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { posix } from 'node:path';
import { RegistryError } from '#domain/registry-error.js';
import { bundle, bundledBytes, BUNDLE_LIMITS, inOrder, noFiles, tooMany } from '../files/bundle.js';
import type { BundledFile } from '../files/bundle.js';
import { isPattern, selectFiles } from '../files/select-files.js';
import type { SourceContext } from '../context.js';
import { fetchBlobs } from './fetch-commit.js';
import type { Git } from './git.js';
import { describe } from './read-file.js';
import type { FileAtCommit } from './read-file.js';

const LINK = '120000';

/** A file of a commit, as listed in its tree. */
interface TreeFile {
  readonly path: string;
  readonly mode: string;
  readonly blob: string;
}

/** Returns whether the path selects several files, either as a pattern or as a folder of the fetched commit. */
export async function isFolderAt(git: Git, { commit, path }: FileAtCommit): Promise<boolean> {
  const normal = posix.normalize(path).replace(/\/$/, '');
  if (isPattern(path) || normal === '.') return true;
  const { stdout } = await git.local(['ls-tree', '-z', '--full-tree', '--end-of-options', commit, normal]);
  return stdout.startsWith('040000 ');
}

/**
 * Writes the files of a folder or pattern of a fetched commit to `target` as one bundle. Their blobs are fetched
 * together. Throws a RegistryError.
 */
export async function readFolderAt(
  git: Git,
  place: FileAtCommit,
  target: string,
  context: SourceContext,
): Promise<void> {
  const label = describe(git, place);
  const files = await listFiles(git, place, label);
  if (files.length === 0) throw noFiles(label);
  await fetchMissing(git, place, files);
  const { maxFileBytes: maxBytes } = context.settings;
  const sizes = await sizesOf(git, files);
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (bundledBytes([...sizes.values()]) > maxBytes) {
    const message = `The files of ${label} have ${total} bytes, more in a bundle; at most ${maxBytes} are read.`;
    throw new RegistryError('InvalidData', message);
  }
  const blobs = `${target}.blobs`;
  try {
    const input = files
      .filter((file) => sizes.has(file.path))
      .map(({ blob }) => `${blob}\n`)
      .join('');
    const maxOutputBytes = total + files.length * 256;
    const { exitCode } = await git.local(['cat-file', '--batch'], { input, stdoutFile: blobs, maxOutputBytes });
    if (exitCode !== 0)
      throw new RegistryError('FetchFailed', `${label} cannot be read from the fetched objects.`, 'retry');
    await bundle(readBlobs(blobs, files, sizes), { label, maxBytes, target });
  } finally {
    await rm(blobs, { force: true });
  }
  context.progress(`read ${files.length} files`);
}

async function listFiles(git: Git, { commit, path }: FileAtCommit, label: string): Promise<TreeFile[]> {
  const { root, isSelected } = selectFiles(path);
  const below = root === '' ? [] : [root];
  const { stdout } = await git.local(['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', commit, ...below]);
  const found = new Map<string, TreeFile>();
  for (const line of stdout.split('\0')) {
    const [, mode = '', type, blob = '', name = ''] = /^(\d+) (\w+) ([\da-f]+)\t([^]*)$/.exec(line) ?? [];
    if (type === 'blob' && isSelected(name)) found.set(name, { path: name, mode, blob });
  }
  const names = BUNDLE_LIMITS.depth + 1 + (root === '' ? 0 : root.split('/').length);
  if ([...found.keys()].some((name) => name.split('/').length > names)) {
    throw tooMany(label, 'more levels of folders', BUNDLE_LIMITS.depth);
  }
  return inOrder([...found.keys()], label).map((name) => found.get(name) as TreeFile);
}

/** Fetches missing blobs. Blobs that an earlier sync has fetched are not requested again. */
async function fetchMissing(
  git: Git,
  { commit, path, wanted }: FileAtCommit,
  files: readonly TreeFile[],
): Promise<void> {
  const tree = await treeAt(git, commit, selectFiles(path).root);
  if (tree === undefined) return;
  const { stdout } = await git.local(['rev-list', '--objects', '--no-walk', '--missing=print', tree]);
  const missing = new Set(stdout.split('\n').flatMap((line) => (line.startsWith('?') ? [line.slice(1)] : [])));
  const blobs = new Set(files.flatMap(({ mode, blob }) => (mode !== LINK && missing.has(blob) ? [blob] : [])));
  if (blobs.size > 0) await fetchBlobs(git, commit, wanted, [...blobs]);
}

/**
 * Returns the id of a folder's tree. The name of the folder is not used, because `rev-list` would interpret a name with
 * two dots as a range.
 */
async function treeAt(git: Git, commit: string, root: string): Promise<string | undefined> {
  if (root === '') return `${commit}:`;
  const { stdout } = await git.local(['ls-tree', '-d', '-z', '--full-tree', '--end-of-options', commit, root]);
  return /^040000 tree ([\da-f]+)\t/.exec(stdout)?.[1];
}

/** Returns the sizes, by path, of the files to read, without symlinks and files that are too large. */
async function sizesOf(git: Git, files: readonly TreeFile[]): Promise<Map<string, number>> {
  const regular = files.filter(({ mode }) => mode !== LINK);
  const input = regular.map(({ blob }) => `${blob}\n`).join('');
  const { stdout } = await git.local(['cat-file', '--batch-check'], { input });
  const lines = stdout.split('\n');
  const sizes = regular.map(({ path }, index) => [path, Number(lines[index]?.split(' ')[2])] as const);
  const absent = sizes.find(([, size]) => Number.isNaN(size));
  if (absent) throw new RegistryError('FetchFailed', `${git.remote.name} did not send ${absent[0]}.`, 'retry');
  return new Map(sizes.filter(([, size]) => size <= BUNDLE_LIMITS.fileBytes));
}

/** Reads the output of `git cat-file --batch`: for each blob a header line, its bytes and a line break. */
async function* readBlobs(
  output: string,
  files: readonly TreeFile[],
  sizes: ReadonlyMap<string, number>,
): AsyncGenerator<BundledFile> {
  // The stream is destroyed in any case, because the file is then removed, and its space is freed only after it is
  // closed.
  await using stream = createReadStream(output);
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let rest: Buffer = Buffer.alloc(0);
  const take = async (isEnough: (bytes: Buffer) => number): Promise<Buffer> => {
    for (;;) {
      const length = isEnough(rest);
      if (length >= 0) {
        const taken = rest.subarray(0, length);
        rest = rest.subarray(length);
        return taken;
      }
      const next = await chunks.next();
      if (next.done) throw new RegistryError('FetchFailed', 'git ended in the middle of a file.', 'retry');
      rest = Buffer.concat([rest, next.value]);
    }
  };
  for (const { path, mode } of files) {
    const size = sizes.get(path);
    if (size === undefined) {
      const fault =
        mode === LINK ? 'is a symbolic link, which is not followed' : `has more than ${BUNDLE_LIMITS.fileBytes} bytes`;
      yield { path, fault };
      continue;
    }
    await take((bytes) => bytes.indexOf('\n') + 1 || -1);
    const content = await take((bytes) => (bytes.length > size ? size + 1 : -1));
    yield { path, content: content.subarray(0, size) };
  }
}
