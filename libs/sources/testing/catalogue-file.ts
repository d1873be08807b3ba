import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { readCatalogue } from '../formats/read-catalogue.js';
import type { FileFormat } from '../formats/layouts.js';
import type { ReadOptions } from '../formats/read-catalogue.js';

export interface ReadResult {
  readonly entries: CatalogueEntry[];
  readonly quarantined: QuarantinedEntry[];
}

/** Writes a catalogue to a real file (objects as JSON) and reads the whole catalogue. */
export async function readAll(
  content: unknown,
  format: FileFormat,
  options: Partial<ReadOptions> = {},
): Promise<ReadResult> {
  const directory = await mkdtemp(join(tmpdir(), 'catalogue-'));
  try {
    const path = join(directory, 'registry.json');
    const isRaw = typeof content === 'string' || Buffer.isBuffer(content);
    await writeFile(path, isRaw ? content : JSON.stringify(content));
    return await readFileFully(path, format, options);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export async function readFileFully(
  path: string,
  format: FileFormat,
  options: Partial<ReadOptions> = {},
): Promise<ReadResult> {
  const entries: CatalogueEntry[] = [];
  const quarantined: QuarantinedEntry[] = [];
  for await (const items of readCatalogue(path, format, { file: 'registry.json', maxFileBytes: 1e9, ...options })) {
    for (const item of items) {
      if ('entry' in item) entries.push(item.entry);
      else if ('quarantined' in item) quarantined.push(item.quarantined);
    }
  }
  return { entries, quarantined };
}

export function upstream(...servers: unknown[]): Record<string, unknown> {
  return { version: '1.0.0', meta: { last_updated: '2026-11-22T00:00:00Z' }, data: { servers } };
}

export function toolhive(servers: object, remotes?: object): Record<string, unknown> {
  const top = { version: '1.0.0', last_updated: '2026-11-22T00:00:00Z', servers };
  return remotes ? { ...top, remote_servers: remotes } : top;
}

export function server(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: 'com.example/search', description: 'Searches', version: '1.2.3', ...fields };
}
