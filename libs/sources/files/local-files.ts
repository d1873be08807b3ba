import { readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryError } from '#domain/registry-error.js';
import { readWhole } from '../regular-file.js';
import type { RegularFile } from '../regular-file.js';
import type { SourceContext } from '../context.js';
import { bundle, BUNDLE_LIMITS, inOrder, noFiles, tooMany } from './bundle.js';
import type { BundledFile } from './bundle.js';
import { selectFiles } from './select-files.js';

/** A folder or a pattern of files in the file system of this process. */
export interface LocalFiles {
  /** How messages refer to the source. */
  readonly label: string;
  /** The real path of the folder to which `path` is relative. */
  readonly base: string;
  readonly path: string;
  /** Returns the file at a path relative to `base`. */
  fileAt(path: string): RegularFile;
}

/** Returns the digest of the files. If `target` is given, writes them to it as one bundle. Throws a RegistryError. */
export function bundleLocal(files: LocalFiles, context: SourceContext, target?: string): Promise<string> {
  const { maxFileBytes: maxBytes } = context.settings;
  return bundle(readFiles(files, context), { label: files.label, maxBytes, ...(target !== undefined && { target }) });
}

/** Writes the bundle of a revision. Throws `FetchFailed` if the files no longer have that revision. */
export async function copyBundle(
  files: LocalFiles,
  { revision, to }: { readonly revision: string; readonly to: string },
  context: SourceContext,
): Promise<void> {
  if ((await bundleLocal(files, context, to)) === revision) return;
  throw new RegistryError('FetchFailed', `${files.label} changed while it was being read.`, 'retry');
}

async function* readFiles(files: LocalFiles, { signal, progress }: SourceContext): AsyncGenerator<BundledFile> {
  const paths = inOrder(await listFiles(files), files.label);
  if (paths.length === 0) throw noFiles(files.label);
  for (const path of paths) {
    signal.throwIfAborted();
    yield await readOne(path, files.fileAt(path));
  }
  progress(`read ${paths.length} files`);
}

/**
 * Reads one file. An unreadable file is an error of its own entry only. A transient error is thrown, so that the read
 * is retried.
 */
async function readOne(path: string, file: RegularFile): Promise<BundledFile> {
  try {
    const { fileBytes: limit, headBytes } = BUNDLE_LIMITS;
    return { path, ...(await readWhole(file, { limit, headBytes })) };
  } catch (error) {
    if (!(error instanceof RegistryError) || error.destiny === 'retry') throw error;
    return { path, fault: error.message.replace(`${file.name} `, '').replace(/\.$/, '') };
  }
}

/**
 * Lists the selected files with a breadth-first search of the folders that may contain one. Symlinks to folders are not
 * followed, except for the first folder.
 */
async function listFiles({ base, path, label }: LocalFiles): Promise<string[]> {
  const { root, isSelected, mayHold } = selectFiles(path);
  const found: string[] = [];
  let names = 0;
  let folders = [root];
  for (let depth = 0; folders.length > 0; depth++) {
    if (depth > BUNDLE_LIMITS.depth) throw tooMany(label, 'more levels of folders', BUNDLE_LIMITS.depth);
    const next: string[] = [];
    for (const folder of folders) {
      for (const entry of await listFolder(base, folder, label)) {
        if (++names > BUNDLE_LIMITS.names) throw tooMany(label, 'more directory entries', BUNDLE_LIMITS.names);
        const inside = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (!entry.isDirectory() && isSelected(inside)) found.push(inside);
        else if (entry.isDirectory() && mayHold(inside)) next.push(inside);
      }
    }
    folders = next;
  }
  return found;
}

async function listFolder(base: string, folder: string, label: string) {
  try {
    const real = await realpath(join(base, folder));
    if (real !== base && !real.startsWith(base === '/' ? '/' : `${base}/`)) {
      throw new RegistryError(
        'FileNotFound',
        `${label} is a link that leads out of the volume: put the folder itself there.`,
      );
    }
    return await readdir(real, { withFileTypes: true });
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new RegistryError('FileNotFound', `${label} does not exist: ${folder || base} is not a folder.`);
    throw new RegistryError(
      'FetchFailed',
      `${label} cannot be listed (${code}): let the user of the server read its folders.`,
      'wait',
      { cause: error },
    );
  }
}
