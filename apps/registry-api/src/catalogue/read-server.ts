import type { ClientBase } from '#persistence/client.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { layoutOf } from '#read-model/layout.js';
import { Pacer } from '#read-model/pacer.js';
import { SegmentBuilder } from '#read-model/segment-builder.js';
import type { StoredEntry } from '#read-model/stored-entry.js';
import { SERVED_DOCUMENT } from './served-document.js';

type Row = Omit<StoredEntry, 'document'> & { readonly document: string; readonly isHidden: boolean };

/**
 * Reads versions of one server of one source as seen by the transaction of `client`, in the order of `versions`, each as a
 * ServerResponse in JSON: exactly what the catalogue will serve after the commit. For the other versions, which determine the latest
 * one, documents are not read. Does not use COPY, which the timeout on the connections of writers does not stop. Throws if a version
 * is absent.
 */
export async function readServer(
  client: ClientBase,
  sourceId: number,
  { name, versions }: { readonly name: string; readonly versions: readonly string[] },
): Promise<readonly Buffer[]> {
  const { rows } = await client.query<Row>(
    `SELECT name, version, title, description, tags, facets, status, status_message AS "statusMessage",
            position, coalesce(is_latest, false) AS "isMarkedLatest", hidden_by IS NOT NULL AS "isHidden",
            CASE WHEN version = ANY ($3::text[]) THEN ${SERVED_DOCUMENT} ELSE '' END AS document,
            foreign_meta IS NOT NULL AS "hasForeignMeta",
            ${inMs('published_at')} AS "publishedAtMs", ${inMs('updated_at')} AS "updatedAtMs",
            ${inMs('status_changed_at')} AS "statusChangedAtMs", ${inMs('deleted_at')} AS "deletedAtMs"
       FROM entry
      WHERE source_id = $1 AND name = $2
        -- Written versions are part of the response even if the filter hides them.
        AND (hidden_by IS NULL OR version = ANY ($3::text[]))
      ORDER BY version`,
    [sourceId, name, versions],
  );
  // Hidden versions must not take part when the catalogue determines the latest of those that it serves.
  const served = await viewOf(
    sourceId,
    rows.filter(({ isHidden }) => !isHidden),
  );
  const all = rows.some(({ isHidden }) => isHidden) ? await viewOf(sourceId, rows) : served;
  const answers: Buffer[] = [];
  for (const version of versions) {
    const answer = served.version(name, version, true) ?? all.version(name, version, true);
    if (!answer) throw new Error('the written entry cannot be read back');
    answers.push(Buffer.concat(await answer.compose().body()));
  }
  return answers;
}

async function viewOf(sourceId: number, rows: readonly Row[]): Promise<CatalogueReader> {
  const builder = new SegmentBuilder(sourceId);
  for (const row of rows) builder.add({ ...row, document: Buffer.from(row.document) });
  return new CatalogueView(layoutOf(await builder.finish(new Pacer())), { tag: 'unread', changedAtMs: undefined });
}

function inMs(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`;
}
