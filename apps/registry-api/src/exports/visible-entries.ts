import { setImmediate as yieldToRequests } from 'node:timers/promises';
import { hash } from 'node:crypto';
import type { ServerDocument } from '#domain/server-document.js';
import { shortNames } from '#exports/short-names.js';
import type { VisibleEntry } from '#exports/visible-entry.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import type { ListFilter } from '#read-model/cursor.js';
import { decodeCursor } from '#read-model/cursor.js';

const PAGE = 1000;

interface Page {
  readonly servers: readonly {
    readonly server: ServerDocument;
    readonly _meta: { readonly 'io.modelcontextprotocol.registry/official': { readonly status: string } };
  }[];
  readonly metadata: { readonly nextCursor?: string };
}

/** Reads the latest version of each server of a view, page by page; other requests are answered in between. */
export async function readVisibleEntries(reader: CatalogueReader): Promise<readonly VisibleEntry[]> {
  const found = await readPages(reader, { version: 'latest' });
  const short = shortNames(
    found.map(({ server }) => server.name),
    (text) => hash('sha256', text),
  );
  return found.map(({ server, _meta }) => ({
    server,
    status: _meta['io.modelcontextprotocol.registry/official'].status === 'deprecated' ? 'deprecated' : 'active',
    shortName: short.get(server.name),
  }));
}

/** Returns the names of the servers that have all of these tags. */
export async function readTaggedNames(reader: CatalogueReader, tags: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await readPages(reader, { version: 'latest', tags: [...tags] });
  return new Set(found.map(({ server }) => server.name));
}

async function readPages(reader: CatalogueReader, filter: ListFilter): Promise<Page['servers'][number][]> {
  const found: Page['servers'][number][] = [];
  for (let cursor = ''; ;) {
    const after = decodeCursor(cursor)?.after;
    const answer = reader.list({ filter, limit: PAGE, ...(after && { after }) });
    const parts = await answer.compose().body();
    const page = JSON.parse(Buffer.concat([...parts]).toString()) as Page;
    found.push(...page.servers);
    if (page.metadata.nextCursor === undefined) return found;
    cursor = page.metadata.nextCursor;
    await yieldToRequests();
  }
}
