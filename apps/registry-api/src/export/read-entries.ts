import { createHash } from 'node:crypto';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { RegistryError } from '#domain/registry-error.js';
import type { ServerDocument } from '#domain/server-document.js';
import { newestOf } from '#domain/version-order.js';
import { shortNames } from '#exports/short-names.js';
import type { VisibleEntry } from '#exports/visible-entry.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { MAX_FILE_BYTES } from '#sources/source.js';

const PAGE = 100;
const REQUEST_TIMEOUT_MS = 30_000;
/** Bytes of all pages together, and of the servers in them. */
const MAX_BYTES = 256 * 1024 * 1024;

type Found = Omit<VisibleEntry, 'shortName'>;

/** Reads the servers of a catalogue file, in format upstream or toolhive, or of a registry. Throws a RegistryError. */
export async function readEntries(from: string, token: string | undefined): Promise<readonly VisibleEntry[]> {
  const found = /^https?:\/\//.test(from) ? await walk(from, token) : await readFile(from);
  const short = shortNames(
    found.map(({ server }) => server.name),
    (text) => createHash('sha256').update(text).digest('hex'),
  );
  return found.map((entry) => ({ ...entry, shortName: short.get(entry.server.name) }));
}

async function readFile(path: string): Promise<Found[]> {
  const entries = await readAs(path, 'upstream').catch(async (error: unknown) => {
    if (!(error instanceof RegistryError) || error.reason !== 'FormatMismatch') throw error;
    return readAs(path, 'toolhive');
  });
  const byName = Map.groupBy(entries, ({ name }) => name);
  return Array.from(byName.values(), (versions) => {
    const ordered = versions.map((entry, position) => ({
      ...entry,
      position,
      isMarkedLatest: false,
      publishedAtMs: 0,
    }));
    const { serverJson, status } = newestOf(ordered) as CatalogueEntry;
    return { server: JSON.parse(serverJson) as ServerDocument, status };
  });
}

async function readAs(path: string, format: 'upstream' | 'toolhive'): Promise<CatalogueEntry[]> {
  const entries: CatalogueEntry[] = [];
  for await (const items of readCatalogue(path, format, { file: path, maxFileBytes: MAX_FILE_BYTES })) {
    for (const item of items)
      if ('entry' in item && item.entry.lifecycle?.status !== 'deleted') entries.push(item.entry);
  }
  return entries;
}

interface Page {
  readonly servers: readonly {
    readonly server: ServerDocument;
    readonly _meta?: Record<string, { status?: string }>;
  }[];
  readonly metadata?: { readonly nextCursor?: string };
}

async function walk(base: string, token: string | undefined): Promise<Found[]> {
  const found: Found[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    if (seen.has(cursor)) throw new RegistryError('InvalidData', `${base}: its pages go in circles: report it there`);
    seen.add(cursor);
    const query = new URLSearchParams({ version: 'latest', limit: String(PAGE), ...(cursor && { cursor }) });
    const text = await getText(`${base.replace(/\/+$/, '')}/v0.1/servers?${query}`, token);
    bytes += text.length;
    if (bytes > MAX_BYTES)
      throw new RegistryError('InvalidData', `${base}: has more than ${MAX_BYTES} bytes of servers`);
    const page = JSON.parse(text) as Page;
    for (const { server, _meta } of page.servers) {
      const { status } = _meta?.['io.modelcontextprotocol.registry/official'] ?? {};
      found.push({ server, status: status === 'deprecated' ? 'deprecated' : 'active' });
    }
    cursor = page.metadata?.nextCursor;
  }
  return found;
}

/** A token goes to the address that was named, and nowhere else. */
async function getText(url: string, token: string | undefined): Promise<string> {
  const headers = { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    const response = await fetch(url, { headers, signal, redirect: 'error' });
    if (response.ok) return await response.text();
    throw new Error(`answered ${response.status}`);
  } catch (error) {
    const { message, cause } = error as Error;
    const why = (cause as Error | undefined)?.message ?? message;
    const remedy = 'check the address and the token';
    throw new RegistryError('Unreachable', `${new URL(url).origin}: ${why}: ${remedy}`, 'retry', { cause: error });
  }
}
