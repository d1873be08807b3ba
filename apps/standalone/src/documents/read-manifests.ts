import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DocumentFault } from './document-fault.js';
import type { Manifest, ManifestEntry } from './manifest.js';
import { parseManifest } from './parse-manifest.js';

/** The largest manifest file that is read; manifests are written by hand and read whole. */
const FILE_LIMIT = 32 * 1024 * 1024;

/** A file as read, or why it could not be. */
export interface ManifestFile {
  readonly path: string;
  readonly content: string | { readonly failure: string };
}

/** Reads files, and the `*.yaml`, `*.yml` and `*.json` files right below directories in the order of their names. */
export async function readFiles(paths: readonly string[]): Promise<ManifestFile[]> {
  const files = await listFiles(paths);
  return Promise.all(
    files.map(async (file) => ('failure' in file ? { path: file.path, content: file } : readOne(file.path))),
  );
}

/** Every file below the paths, or the place that could not be looked into; each file once. */
export async function listFiles(
  paths: readonly string[],
): Promise<({ path: string } | { path: string; failure: string })[]> {
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

/** Names that begin with a dot are lock and swap files of editors. */
export function isManifestName(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !name.startsWith('.');
}

async function readOne(path: string): Promise<ManifestFile> {
  try {
    const { size } = await stat(path);
    if (size > FILE_LIMIT)
      return {
        path,
        content: { failure: `is larger than ${FILE_LIMIT / 2 ** 20} MiB: keep large data in a volume or in git` },
      };
    return { path, content: await readFile(path, 'utf8') };
  } catch (error) {
    return { path, content: { failure: explainReadFailure(error) } };
  }
}

function explainReadFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist: correct the path, or start without it';
  if (code === 'EACCES') return 'may not be read by this user: change its permissions';
  return `cannot be read: ${code ?? message}`;
}

/** All documents of all files; of two with the same kind, namespace and name the first one holds. */
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
        const message = `${name} stands in ${first.file}:${first.line} already: rename or remove one of them`;
        faults.push({ file: entry.file, line: entry.line, field: 'metadata.name', message });
      } else {
        firsts.set(key, entry);
        entries.push(entry);
      }
    }
  }
  return { entries, faults, notices };
}
