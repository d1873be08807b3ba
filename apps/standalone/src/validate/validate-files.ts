import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import type { DocumentFault } from '../documents/document-fault.js';
import type { Manifest } from '../documents/manifest.js';
import { listFiles, parseFiles, readListed } from '../documents/read-manifests.js';
import type { ListedFile } from '../documents/read-manifests.js';
import { checkCatalogue } from './check-catalogue.js';
import { checkFolder } from './check-folder.js';
import { checkConfigMaps } from './check-config-maps.js';
import { toErrors, toNotes } from './finding.js';
import type { Finding } from './finding.js';

const HEAD_BYTES = 64 * 1024;

export interface Validation {
  readonly files: number;
  /** The findings, in the order of the files. */
  readonly findings: readonly Finding[];
}

/**
 * Checks manifests and catalogue files offline, by the rules of the server. Directories stand for the `*.yaml`, `*.yml`
 * and `*.json` files directly in them. A file without a Kubernetes object is treated as a catalogue. `folders` are
 * catalogues that consist of files with one server each, or glob patterns for such files.
 */
export async function validateFiles(
  paths: readonly string[],
  format?: FileFormat,
  folders: readonly string[] = [],
): Promise<Validation> {
  const files = await listFiles(paths);
  const areCatalogues = await Promise.all(files.map(({ path, failure }) => failure === undefined && isCatalogue(path)));
  const catalogues = files.filter((_, index) => areCatalogues[index]);
  const manifests = files.filter((_, index) => !areCatalogues[index]);
  const manifest = parseFiles(await readListed(manifests));
  const ofCatalogues: DocumentFault[] = [];
  // One after the other, because each may be large.
  for (const { path } of catalogues) ofCatalogues.push(...(await checkCatalogue(path, path, format)));
  for (const folder of folders) ofCatalogues.push(...(await checkFolder(folder, format)));
  const findings = [
    ...toErrors(manifest.faults),
    ...toNotes([...manifest.notices, ...specNotices(manifest)]),
    ...toNotes(unusedFiles(manifests, manifest)),
    ...(await checkConfigMaps(manifest)),
    ...toErrors(ofCatalogues),
    ...toErrors(await emptyPaths(paths)),
  ];
  const order = new Map(files.map(({ path }, index) => [path, index]));
  const rank = ({ file, line = 0 }: Finding) => [order.get(file) ?? files.length, line] as const;
  return { files: files.length + folders.length, findings: findings.toSorted((a, b) => compare(rank(a), rank(b))) };
}

/** Returns a notice for each manifest file without an object, for example an empty file. */
function unusedFiles(files: readonly ListedFile[], { entries, faults, notices }: Manifest): DocumentFault[] {
  const used = new Set([
    ...entries.map((entry) => ('path' in entry ? entry.path : entry.file)),
    ...[...faults, ...notices].map(({ file }) => file),
  ]);
  const message = 'holds no object, so there was nothing to check';
  return files.filter(({ path }) => !used.has(path)).map(({ path }) => ({ file: path, message }));
}

/**
 * Returns an error for each directory without a file to check, for example because of a mistyped path in a pipeline.
 */
async function emptyPaths(paths: readonly string[]): Promise<DocumentFault[]> {
  const message = 'has no *.yaml, *.yml or *.json file: give the directory right above the files';
  const counts = await Promise.all(paths.map(async (path) => (await listFiles([path])).length));
  return paths.flatMap((file, index) => (counts[index] === 0 ? [{ file, message }] : []));
}

async function isCatalogue(path: string): Promise<boolean> {
  if (!path.endsWith('.json')) return false;
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) return false;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return !isObjectHead(buffer.toString('utf8', 0, bytesRead));
  } catch {
    // The attempt to read it as a manifest reports why it cannot be read.
    return false;
  }
}

/** A property name, any other string, an unterminated string, or a bracket or brace. */
const JSON_TOKEN = /"((?:[^"\\]|\\.)*)"(?=\s*:)|"(?:[^"\\]|\\.)*"|"[^]*|[{}[\]]/g;

/**
 * Reports whether the beginning of a JSON document has a top-level property that Kubernetes objects have and catalogues
 * do not.
 */
function isObjectHead(head: string): boolean {
  let depth = 0;
  for (const [token, name] of head.matchAll(JSON_TOKEN)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && (name === 'apiVersion' || name === 'kind')) return true;
  }
  return false;
}

/** Returns notices about fields that have no effect. */
function specNotices({ entries }: Manifest): DocumentFault[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== 'MCPRegistry') return [];
    const parsed = parseRegistrySpec(entry.spec);
    const notices = 'spec' in parsed ? parsed.notices : [];
    return notices.map(({ message }) => ({ file: entry.file, line: entry.line, field: 'spec', message }));
  });
}

function compare(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0] || a[1] - b[1];
}
