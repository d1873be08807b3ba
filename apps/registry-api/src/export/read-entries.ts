import { createHash } from 'node:crypto';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import { isFields } from '#domain/fields.js';
import { RegistryError } from '#domain/registry-error.js';
import type { ServerDocument } from '#domain/server-document.js';
import { newestOf } from '#domain/version-order.js';
import { shortNames } from '#exports/short-names.js';
import type { VisibleEntry } from '#exports/visible-entry.js';
import { checkServerJson } from '#sources/formats/server-json.js';
import type { Document } from '#sources/formats/layouts.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { MAX_FILE_BYTES } from '#sources/source.js';
import { z } from 'zod';
import { RegistryClient } from '../remote/registry-client.js';

const PAGE = 100;
const OFFICIAL = 'io.modelcontextprotocol.registry/official';
/** Maximum bytes of all pages together, and of the servers in them. */
const MAX_BYTES = 256 * 1024 * 1024;

type Found = Omit<VisibleEntry, 'shortName'>;

interface Source<Entry> {
  readonly entries: readonly Entry[];
  /** Entries of a file that cannot be exported, because no source would serve them. */
  readonly invalid: readonly QuarantinedEntry[];
  /** Name of the registry or source, for formats that contain it. */
  readonly registry: string;
  readonly changedAtMs: number;
}

/** Reads the servers of a catalogue file, in upstream or ToolHive format, or of a registry. Throws a RegistryError. */
export async function readEntries(from: string, token: string | undefined): Promise<Source<VisibleEntry>> {
  const source = /^https?:\/\//.test(from) ? await walk(from, token) : await readFile(from);
  const short = shortNames(
    source.entries.map(({ server }) => server.name),
    (text) => createHash('sha256').update(text).digest('hex'),
  );
  return {
    ...source,
    entries: source.entries.map((entry) => ({ ...entry, shortName: short.get(entry.server.name) })),
  };
}

async function readFile(path: string): Promise<Source<Found>> {
  const { entries, ...rest } = await readAs(path, 'upstream').catch(async (error: unknown) => {
    if (!(error instanceof RegistryError) || error.reason !== 'FormatMismatch') throw error;
    return readAs(path, 'toolhive');
  });
  const byName = Map.groupBy(entries, ({ name }) => name);
  const newest = Array.from(byName.values(), (versions) => {
    const ordered = versions.map((entry, position) => ({
      ...entry,
      position,
      isMarkedLatest: false,
      publishedAtMs: 0,
    }));
    const { serverJson, status } = newestOf(ordered) as CatalogueEntry;
    return { server: JSON.parse(serverJson) as ServerDocument, status };
  });
  return { ...rest, entries: newest };
}

async function readAs(path: string, format: 'upstream' | 'toolhive'): Promise<Source<CatalogueEntry>> {
  const entries: CatalogueEntry[] = [];
  const invalid: QuarantinedEntry[] = [];
  let changedAtMs = 0;
  const onDocument = ({ values }: Document) => void (changedAtMs = lastUpdate(values));
  for await (const items of readCatalogue(path, format, { file: path, maxFileBytes: MAX_FILE_BYTES, onDocument })) {
    for (const item of items) {
      if ('entry' in item && item.entry.lifecycle?.status !== 'deleted') entries.push(item.entry);
      if ('quarantined' in item && item.quarantined.lifecycle?.status !== 'deleted') invalid.push(item.quarantined);
    }
  }
  return { entries, invalid, registry: 'registry', changedAtMs };
}

function lastUpdate(values: Document['values']): number {
  const meta = values.get('meta');
  const time = values.get('last_updated') ?? (isFields(meta) ? meta['last_updated'] : undefined);
  return Date.parse(String(time));
}

const OfficialBlock = z.looseObject({ status: z.string().optional(), updatedAt: z.string().optional() });
const Page = z.object({
  servers: z.array(
    z.object({
      server: z.unknown(),
      _meta: z.looseObject({ [OFFICIAL]: OfficialBlock.optional() }).optional(),
    }),
  ),
  metadata: z.looseObject({ nextCursor: z.string().nullish() }).optional(),
});

async function walk(base: string, token: string | undefined): Promise<Source<Found>> {
  const client = new RegistryClient(base, token);
  const found: Found[] = [];
  const seen = new Set<string>();
  let total = 0;
  let changedAtMs = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    if (seen.has(cursor))
      throw new RegistryError('InvalidData', `${base}: its pagination loops: report this to its operator`);
    seen.add(cursor);
    const query = new URLSearchParams({ version: 'latest', limit: String(PAGE), ...(cursor && { cursor }) });
    const { value, bytes } = await client.get(`/v0.1/servers?${query}`);
    total += bytes;
    if (total > MAX_BYTES)
      throw new RegistryError(
        'InvalidData',
        `${base}: has more than ${MAX_BYTES} bytes of servers: export its sources one by one`,
      );
    const page = Page.safeParse(value);
    if (!page.success) throw new RegistryError('InvalidData', `${base}: did not return a list of servers`);
    for (const { server, _meta } of page.data.servers) {
      const { status, updatedAt = '' } = _meta?.[OFFICIAL] ?? {};
      found.push(toFound(base, server, status));
      changedAtMs = Math.max(changedAtMs, Date.parse(updatedAt) || 0);
    }
    cursor = page.data.metadata?.nextCursor || undefined;
  }
  const registry = new URL(base).pathname.split('/').findLast(Boolean) ?? 'registry';
  return { entries: found, invalid: [], registry: decodeURIComponent(registry), changedAtMs };
}

/** Validates a server like one of a source, because an export relies on the schema. */
function toFound(base: string, server: unknown, status: string | undefined): Found {
  try {
    checkServerJson(server);
  } catch (error) {
    const { name } = (server ?? {}) as { name?: unknown };
    const which = typeof name === 'string' ? name : 'a server without a name';
    throw new RegistryError('InvalidData', `${base}: ${which}: ${(error as Error).message}`, 'wait', { cause: error });
  }
  return { server: server as ServerDocument, status: status === 'deprecated' ? 'deprecated' : 'active' };
}
