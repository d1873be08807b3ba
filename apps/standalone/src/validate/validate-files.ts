import { open } from 'node:fs/promises';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import type { DocumentFault } from '../documents/document-fault.js';
import type { Manifest } from '../documents/manifest.js';
import { listFiles, parseFiles, readFiles } from '../documents/read-manifests.js';
import { checkCatalogue } from './check-catalogue.js';
import { checkConfigMaps } from './check-config-maps.js';
import { toErrors, toNotes } from './finding.js';
import type { Finding } from './finding.js';

/** Fields that a Kubernetes object has near its beginning, and no catalogue has. */
const OBJECT_FIELD = /(^|[{,\n])\s*"(apiVersion|kind)"\s*:/;
const HEAD_BYTES = 4096;

export interface Validation {
  readonly files: number;
  /** In the order of the files. */
  readonly findings: readonly Finding[];
}

/**
 * Checks manifests and catalogue files offline, by the rules of the server. Directories stand for the `*.yaml`, `*.yml` and
 * `*.json` files right below them. A file that holds no Kubernetes object is taken for a catalogue.
 */
export async function validateFiles(paths: readonly string[], format?: FileFormat): Promise<Validation> {
  const files = (await listFiles(paths)).map(({ path }) => path);
  const areCatalogues = await Promise.all(files.map(isCatalogue));
  const catalogues = files.filter((_, index) => areCatalogues[index]);
  const manifest = parseFiles(await readFiles(files.filter((_, index) => !areCatalogues[index])));
  const ofCatalogues: DocumentFault[] = [];
  // One after the other: each may be large.
  for (const path of catalogues) ofCatalogues.push(...(await checkCatalogue(path, path, format)));
  const findings = [
    ...toErrors(manifest.faults),
    ...toNotes([...manifest.notices, ...specNotices(manifest)]),
    ...(await checkConfigMaps(manifest)),
    ...toErrors(ofCatalogues),
  ];
  const order = new Map(files.map((path, index) => [path, index]));
  const rank = ({ file, line = 0 }: Finding) => [order.get(file) ?? files.length, line] as const;
  return { files: files.length, findings: findings.toSorted((a, b) => compare(rank(a), rank(b))) };
}

async function isCatalogue(path: string): Promise<boolean> {
  if (!path.endsWith('.json')) return false;
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return !OBJECT_FIELD.test(buffer.toString('utf8', 0, bytesRead));
  } catch {
    // Reading it as a manifest reports why it cannot be read.
    return false;
  }
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
