import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import type { ReadingCounts } from '#domain/sync.js';
import type { FilterRule } from '#domain/source-filter.js';
import { copyBinary } from './copy-binary.js';
import type { CopyValue } from './copy-binary.js';
import { UpdateTimes } from './update-times.js';

/** What the reader of a source yields for each entry. */
export type PublishedItem =
  | { readonly entry: CatalogueEntry; readonly hash: Buffer }
  | { readonly quarantined: QuarantinedEntry }
  | { readonly known: true };

/**
 * Columns whose values come from the source, in the order of {@link toRow}. The database sets the others. It could also
 * set `written_by`, but only by a default function that it would call for each row, and with such a default it inserts
 * rows one by one instead of filling pages.
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

/** A copy includes the time of the update. Later revisions take that time from their own transaction. */
const COPIED_COLUMNS = `${ENTRY_COLUMNS}, updated_at`;

export interface CopyContext {
  readonly sourceId: number;
  readonly hiddenBy: FilterRule;
}

/** The current transaction, with the values that the defaults of the columns would have. */
interface Writer {
  readonly id: bigint;
  /** Time of the transaction. All entries that are published together get the same time. */
  readonly now: Date;
}

/** Summary of the items that were read, not counting known entries. */
interface Copied {
  readonly times: UpdateTimes;
  served: number;
  hidden: number;
  /** Position of the next entry in the published source. */
  position: number;
  readonly reading: { -readonly [Count in keyof ReadingCounts]: ReadingCounts[Count] };
  readonly quarantined: QuarantinedEntry[];
}

/**
 * Number of chunks that are prepared in advance. Entries are read while the server processes earlier ones; otherwise
 * each side would wait for the other. With more chunks, those that wait would outlive the young generation of the heap,
 * and collecting them would cost a sixth of the import's CPU time.
 */
const CHUNKS_AHEAD = 8;

/**
 * Writes the entries in `batches`, as they are read, to a table that has {@link ENTRY_COLUMNS}. `rows` includes
 * tombstones.
 */
export async function copyEntries(
  client: Client,
  table: 'entry' | 'staged_entry',
  batches: AsyncIterable<readonly PublishedItem[]>,
  context: CopyContext,
): Promise<Copied & { readonly rows: number }> {
  const writer = await writerOf(client);
  const times = new UpdateTimes(writer.now);
  const copied: Copied = {
    times,
    served: 0,
    hidden: 0,
    position: 0,
    reading: { nullsDropped: 0, versionsAssumed: 0 },
    quarantined: [],
  };
  const chunks = copyBinary(toRows(batches, context, writer, copied));
  const sink = client.query(copyFrom(`COPY ${table} (${COPIED_COLUMNS}) FROM STDIN (FORMAT binary)`));
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
    const times = copied.times.of(items.flatMap((item) => ('entry' in item ? [item.entry] : [])));
    for (const item of items) {
      if ('quarantined' in item) copied.quarantined.push(item.quarantined);
      else if ('entry' in item) {
        const row = toRow(item.entry, item.hash, context, writer, copied);
        rows.push([...row, times.get(item.entry) ?? writer.now]);
      }
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
  copied.reading.nullsDropped += entry.nullsDropped ?? 0;
  if (entry.isVersionAssumed) copied.reading.versionsAssumed++;
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
