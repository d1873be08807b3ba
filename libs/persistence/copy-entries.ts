import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import type { FilterRule } from '#domain/source-filter.js';
import { copyBinary } from './copy-binary.js';
import type { CopyValue } from './copy-binary.js';

/** What a reader of a source gives, entry by entry. */
export type PublishedItem =
  | { readonly entry: CatalogueEntry; readonly hash: Buffer }
  | { readonly quarantined: QuarantinedEntry }
  | { readonly known: true };

/**
 * What a source says of an entry, in the order of {@link toRow}; the database knows the rest. So it does of `written_by`, but by
 * a function that it would ask for each row, and with one of those it writes rows one by one where it could fill pages.
 */
export const ENTRY_COLUMNS = [
  'source_id',
  'name',
  'version',
  'key',
  'hash',
  'server_json',
  'foreign_meta',
  'title',
  'description',
  'tags',
  'facets',
  'status',
  'status_message',
  'hidden_by',
  'is_latest',
  'position',
  'published_at',
  'status_changed_at',
  'deleted_at',
  'written_by',
].join(', ');

export interface CopyContext {
  readonly sourceId: number;
  readonly hiddenBy: FilterRule;
}

/** The transaction, as the columns' defaults have it. */
interface Writer {
  readonly id: bigint;
  /** What is published together has one time. */
  readonly now: Date;
}

/** What was given, known entries apart. */
interface Copied {
  served: number;
  hidden: number;
  /** Position of the next entry in what is published. */
  position: number;
  readonly quarantined: QuarantinedEntry[];
}

/**
 * Entries are read while the server is busy with earlier ones: otherwise the two would only take turns. Chunks that wait
 * longer than this outlive the young generation, and throwing them away costs a sixth of the import's CPU time.
 */
const CHUNKS_AHEAD = 8;

/** Writes the entries among `batches` into a table that has {@link ENTRY_COLUMNS}, as they are read. `rows`: tombstones included. */
export async function copyEntries(
  client: Client,
  table: 'entry' | 'staged_entry',
  batches: AsyncIterable<readonly PublishedItem[]>,
  context: CopyContext,
): Promise<Copied & { readonly rows: number }> {
  const copied: Copied = { served: 0, hidden: 0, position: 0, quarantined: [] };
  const chunks = copyBinary(toRows(batches, context, await writerOf(client), copied));
  const sink = client.query(copyFrom(`COPY ${table} (${ENTRY_COLUMNS}) FROM STDIN (FORMAT binary)`));
  await pipeline(Readable.from(chunks, { highWaterMark: CHUNKS_AHEAD }), sink);
  return { ...copied, rows: sink.rowCount };
}

async function writerOf(client: Client): Promise<Writer> {
  const { rows } = await client.query<{ id: string; now: Date }>(
    'SELECT pg_current_xact_id()::text AS id, now()::timestamptz(3) AS now',
  );
  const { id, now } = rows[0] as { id: string; now: Date };
  return { id: BigInt(id), now };
}

async function* toRows(
  batches: AsyncIterable<readonly PublishedItem[]>,
  context: CopyContext,
  writer: Writer,
  copied: Copied,
): AsyncGenerator<CopyValue[][]> {
  for await (const items of batches) {
    const rows: CopyValue[][] = [];
    for (const item of items) {
      if ('quarantined' in item) copied.quarantined.push(item.quarantined);
      else if ('entry' in item) rows.push(toRow(item.entry, item.hash, context, writer, copied));
    }
    yield rows;
  }
}

function toRow(
  entry: CatalogueEntry,
  hash: Buffer,
  { sourceId, hiddenBy }: CopyContext,
  { id, now }: Writer,
  copied: Copied,
): CopyValue[] {
  const { lifecycle } = entry;
  const isDeleted = lifecycle?.status === 'deleted';
  const hidingRule = hiddenBy(entry) ?? null;
  if (!isDeleted) copied[hidingRule === null ? 'served' : 'hidden']++;
  return [
    sourceId,
    entry.name,
    entry.version,
    entry.key,
    hash,
    entry.serverJson,
    entry.foreignMeta ?? null,
    entry.title ?? null,
    entry.description,
    entry.tags,
    entry.facets,
    entry.status,
    lifecycle?.statusMessage ?? null,
    hidingRule,
    lifecycle?.isLatest ?? null,
    copied.position++,
    lifecycle?.publishedAt === undefined ? now : new Date(lifecycle.publishedAt),
    lifecycle?.statusChangedAt === undefined ? now : new Date(lifecycle.statusChangedAt),
    isDeleted ? now : null,
    id,
  ];
}
