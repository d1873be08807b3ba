import type { Client } from 'pg';
import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { inTransaction } from './in-transaction.js';
import { lockSource } from './source-row.js';

export type WalkItem =
  { readonly entry: CatalogueEntry; readonly hash: Buffer } | { readonly quarantined: QuarantinedEntry };

export interface WalkPage {
  readonly items: readonly WalkItem[];
  /** The cursor of the next page. Absent on the last page. */
  readonly nextCursor?: string;
  readonly latestUpdate?: string;
  readonly etag?: string;
}

/** The progress of a walk. */
export interface WalkState {
  /** The cursor at which to continue. Undefined at the beginning. */
  readonly cursor: string | undefined;
  readonly pages: number;
  readonly entries: number;
  /** Size of the entries in the database. */
  readonly bytes: number;
  /** Whether the last page is stored, so that nothing is left to fetch. */
  readonly isWhole: boolean;
  readonly latestUpdate: string | null;
  readonly etag: string | null;
}

const READ_ROWS = 500;

/**
 * Stores the pages that a walk of a source has read, until they are published. A walk that was killed continues after
 * the last stored page. The tables are UNLOGGED, so a crash of the server empties them, and the walk starts over.
 */
export class StagedWalk {
  private constructor(
    private readonly client: Client,
    readonly sourceId: number,
    /**
     * Id of the walk. A discarded walk may still be running, so each statement checks this id, and a walk never touches
     * the data of another one.
     */
    private readonly walk: string,
  ) {}

  /** Opens the stage of this walk. Discards what another walk of the same source has stored. */
  static async open(client: Client, registry: RegistryRef, source: string, walk: string): Promise<StagedWalk> {
    const sourceId = await inTransaction(client, async () => {
      const id = await lockSource(client, { registry, source });
      await client.query('DELETE FROM staged_walk WHERE source_id = $1 AND walk <> $2', [id, walk]);
      await client.query('INSERT INTO staged_walk (source_id, walk) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        id,
        walk,
      ]);
      return id;
    });
    return new StagedWalk(client, sourceId, walk);
  }

  /** Returns a stage that was opened on another connection. */
  static reach(client: Client, sourceId: number, walk: string): StagedWalk {
    return new StagedWalk(client, sourceId, walk);
  }

  /** Returns the progress of the walk. Throws if another walk of the source has started in the meantime. */
  async state(): Promise<WalkState> {
    const { rows } = await this.client.query<{
      cursor: string | null;
      pages: number;
      items: number;
      bytes: string;
      is_whole: boolean;
      latest_update: string | null;
      etag: string | null;
    }>(
      `SELECT cursor, pages, items, is_whole, latest_update, etag,
              (SELECT coalesce(sum(pg_column_size(item)), 0) FROM staged_item WHERE source_id = $1) AS bytes
         FROM staged_walk WHERE source_id = $1 AND walk = $2`,
      [this.sourceId, this.walk],
    );
    const [row] = rows;
    if (!row) throw stageGone();
    const { cursor, pages, items: entries, bytes, is_whole: isWhole, latest_update: latestUpdate, etag } = row;
    return { cursor: cursor ?? undefined, pages, entries, bytes: Number(bytes), isWhole, latestUpdate, etag };
  }

  /**
   * Stores a page and the cursor of the next page in one transaction. Throws if another walk of the source has started
   * in the meantime.
   */
  async add(page: WalkPage, latestUpdate: string | null): Promise<void> {
    const items = page.items.map(toText);
    const { rowCount } = await this.client.query(
      `WITH walk AS (
         UPDATE staged_walk SET cursor = $2, is_whole = $2::text IS NULL, pages = pages + 1, items = items + $3,
                latest_update = $4, etag = $5
          WHERE source_id = $1 AND walk = $7
         RETURNING items - $3 AS before),
       added AS (
         INSERT INTO staged_item (source_id, position, item)
         SELECT $1, walk.before + given.position, given.item
           FROM walk, unnest($6::text[]) WITH ORDINALITY AS given (item, position))
       SELECT FROM walk`,
      [this.sourceId, page.nextCursor ?? null, items.length, latestUpdate, page.etag ?? null, items, this.walk],
    );
    if (!rowCount) throw stageGone();
  }

  /** Deletes the stored pages, because the source no longer accepts the stored cursor. */
  async reset(): Promise<void> {
    const { rowCount } = await this.client.query(
      `WITH walk AS (
         UPDATE staged_walk SET cursor = NULL, pages = 0, items = 0, is_whole = false, latest_update = NULL, etag = NULL
          WHERE source_id = $1 AND walk = $2
         RETURNING source_id),
       dropped AS (DELETE FROM staged_item USING walk WHERE staged_item.source_id = walk.source_id)
       SELECT FROM walk`,
      [this.sourceId, this.walk],
    );
    if (!rowCount) throw stageGone();
  }

  /**
   * Yields all items in the order of the walk, with only a few rows in memory at a time. The caller must hold the lock
   * of the source.
   */
  async *items(): AsyncGenerator<readonly WalkItem[]> {
    await this.state();
    for (let position = 0; ;) {
      const { rows } = await this.client.query<{ position: number; item: string }>(
        'SELECT position, item FROM staged_item WHERE source_id = $1 AND position > $2 ORDER BY position LIMIT $3',
        [this.sourceId, position, READ_ROWS],
      );
      if (rows.length > 0) yield rows.map(({ item }) => fromText(item));
      if (rows.length < READ_ROWS) return;
      position = rows.at(-1)!.position;
    }
  }

  /** Deletes the stage after the walk has been published. */
  async clear(): Promise<void> {
    await this.client.query('DELETE FROM staged_walk WHERE source_id = $1 AND walk = $2', [this.sourceId, this.walk]);
  }
}

function stageGone(): Error {
  return new Error('another walk of the same source has started, so this one stops');
}

function toText(item: WalkItem): string {
  return JSON.stringify('entry' in item ? { entry: item.entry, hash: item.hash.toString('base64') } : item);
}

function fromText(text: string): WalkItem {
  const item = JSON.parse(text) as { entry: CatalogueEntry; hash: string } | { quarantined: QuarantinedEntry };
  return 'entry' in item ? { entry: item.entry, hash: Buffer.from(item.hash, 'base64') } : item;
}
