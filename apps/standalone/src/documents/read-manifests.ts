import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { recognizeBinary } from '#sources/formats/recognize.js';
import type { DocumentFault } from './document-fault.js';
import type { Manifest, ManifestEntry } from './manifest.js';
import { parseManifest } from './parse-manifest.js';

/** Maximum size of a manifest file. Manifests are written by hand and are read as a whole. */
const FILE_LIMIT = 32 * 1024 * 1024;

/** A file that was read, or the reason why it could not be read. */
export interface ManifestFile {
  readonly path: string;
  readonly content: string | { readonly failure: string };
}

/** A file below the given paths, or a path that could not be listed. */
export type ListedFile = { readonly path: string; readonly failure?: string };

/** Reads files, and the `*.yaml`, `*.yml` and `*.json` files directly in directories, sorted by name. */
export async function readFiles(paths: readonly string[]): Promise<ManifestFile[]> {
  return readListed(await listFiles(paths));
}

export function readListed(files: readonly ListedFile[]): Promise<ManifestFile[]> {
  return Promise.all(
    files.map(async ({ path, failure }) => ({
      path,
      content: failure === undefined ? await readOne(path) : { failure },
    })),
  );
}

/** Lists every file below the paths once, and every path that could not be listed. */
export async function listFiles(paths: readonly string[]): Promise<ListedFile[]> {
  const listed = await Promise.all(
    paths.map(async (path) => {
      try {
        if (!(await stat(path)).isDirectory()) return [{ path }];
        const names = await readdir(path);
        return names
          .filter(isManifestName)
          .sort()
          .map((name) => ({ path: join(path, name) }));
      } catch (error) {
        return [{ path, failure: explainReadFailure(error) }];
      }
    }),
  );
  return [...new Map(listed.flat().map((file) => [file.path, file])).values()];
}

/**
 * Returns whether a file may be a manifest. Names that start with a dot are ignored, because editors use them for lock
 * and swap files.
 */
export function isManifestName(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !name.startsWith('.');
}

async function readOne(path: string): Promise<ManifestFile['content']> {
  try {
    // O_NONBLOCK, because opening a named pipe would otherwise wait for a writer that may never come.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) return { failure: 'is not a regular file: remove it, or put a file in its place' };
    if (stats.size > FILE_LIMIT)
      return { failure: `is larger than ${FILE_LIMIT / 2 ** 20} MiB: keep large data in a volume or in git` };
    return decode(await file.readFile());
  } catch (error) {
    return { failure: explainReadFailure(error) };
  }
}

/** Decodes UTF-8 strictly, because replacement characters would become part of names and values. */
function decode(bytes: Buffer): ManifestFile['content'] {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // The message below says which format it has instead.
  }
  return { failure: recognizeBinary(bytes) ?? 'is not UTF-8: save the file in that encoding' };
}

function explainReadFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist: correct the path, or start without it';
  if (code === 'ELOOP') return 'is a broken link: replace it with the file itself';
  if (code === 'EACCES') return 'cannot be read by this user: change its permissions';
  return `cannot be read: ${code ?? message}`;
}

/** Parses all documents of all files. If two have the same kind, namespace and name, the first one is used. */
export function parseFiles(files: readonly ManifestFile[]): Manifest {
  const entries: ManifestEntry[] = [];
  const faults: DocumentFault[] = [];
  const notices: DocumentFault[] = [];
  const firsts = new Map<string, { file: string; line: number }>();

  for (const { path, content } of files) {
    if (typeof content !== 'string') {
      entries.push({ kind: 'Unreadable', path });
      faults.push({ file: path, message: content.failure });
      continue;
    }
    const manifest = parseManifest(content, path);
    faults.push(...manifest.faults);
    notices.push(...manifest.notices);
    for (const entry of manifest.entries) {
      if (entry.kind === 'Unreadable' || entry.kind === 'Faulty') {
        entries.push(entry);
        continue;
      }
      const key = `${entry.kind}/${entry.namespace}/${entry.name}`;
      const first = firsts.get(key);
      if (first) {
        const name = `${entry.kind} ${entry.namespace}/${entry.name}`;
        const message = `${name} is already defined in ${first.file}:${first.line}: rename or remove one of them`;
        faults.push({ file: entry.file, line: entry.line, field: 'metadata.name', message });
      } else {
        firsts.set(key, entry);
        entries.push(entry);
      }
    }
  }
  return { entries, faults, notices };
}
