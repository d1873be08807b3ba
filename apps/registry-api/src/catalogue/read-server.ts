import type { ClientBase } from '#persistence/client.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { layoutOf } from '#read-model/layout.js';
import { Pacer } from '#read-model/pacer.js';
import { SegmentBuilder } from '#read-model/segment-builder.js';
import type { StoredEntry } from '#read-model/stored-entry.js';
import { SERVED_DOCUMENT } from './served-document.js';

/**
 * Reads one server of one source, as the transaction of `client` sees it, to answer with the version that it wrote: byte
 * for byte what the catalogue answers once it is committed. Of the other versions, which decide what is the latest, only
 * this is read. Not by COPY: the connections of writers have a time-out, which that does not stop.
 */
export async function readServer(
  client: ClientBase,
  sourceId: number,
  { name, version }: { readonly name: string; readonly version: string },
): Promise<CatalogueReader> {
  const { rows } = await client.query<Omit<StoredEntry, 'document'> & { document: string }>(
    `SELECT name, version, title, description, tags, facets, status, status_message AS "statusMessage",
            position, coalesce(is_latest, false) AS "isMarkedLatest",
            CASE WHEN version = $3 THEN ${SERVED_DOCUMENT} ELSE '' END AS document, foreign_meta IS NOT NULL AS "hasForeignMeta",
            ${inMs('published_at')} AS "publishedAtMs", ${inMs('updated_at')} AS "updatedAtMs",
            ${inMs('status_changed_at')} AS "statusChangedAtMs", ${inMs('deleted_at')} AS "deletedAtMs"
       FROM entry
      WHERE source_id = $1 AND name = $2
        -- What was written is told even where the filter leaves it out.
        AND (hidden_by IS NULL OR version = $3)
      ORDER BY version`,
    [sourceId, name, version],
  );
  const builder = new SegmentBuilder(sourceId);
  for (const row of rows) builder.add({ ...row, document: Buffer.from(row.document) });
  return new CatalogueView(layoutOf(await builder.finish(new Pacer())), { tag: 'unread', changedAtMs: undefined });
}

function inMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}
