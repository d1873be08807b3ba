import type { Client } from 'pg';
import { STORED_COUNTS } from './count-entries.js';
import type { StoredCounts } from './count-entries.js';

/** The hashes of a source's live rows, to tell which entries of a new revision are stored already. */
export class KnownEntries {
  private constructor(
    private readonly unclaimed: Set<string>,
    /** Nothing was ever stored, tombstones included. */
    readonly isEmpty: boolean,
    readonly counts: StoredCounts,
  ) {}

  static async load(client: Client, sourceId: number): Promise<KnownEntries> {
    // One value instead of a row each: seven times faster, and nothing to collect afterwards.
    const { rows } = await client.query<StoredCounts & { hashes: Buffer | null; stored: boolean }>(
      `SELECT string_agg(hash, '') FILTER (WHERE deleted_at IS NULL) AS hashes, count(*) > 0 AS stored, ${STORED_COUNTS}
         FROM entry WHERE source_id = $1`,
      [sourceId],
    );
    const [{ hashes, stored, served, hidden }] = rows as [(typeof rows)[0]];
    const text = hashes?.toString('latin1') ?? '';
    const unclaimed = new Set<string>();
    for (let at = 0; at < text.length; at += HASH_BYTES) unclaimed.add(text.slice(at, at + HASH_BYTES));
    return new KnownEntries(unclaimed, !stored, { served, hidden });
  }

  /** Whether the entry with this hash (latin1) is stored and was not claimed yet. */
  claim(hash: string): boolean {
    return this.unclaimed.delete(hash);
  }

  /** Stored, but not part of the revision: gone, or held in quarantine. */
  leftOver(): Buffer[] {
    return Array.from(this.unclaimed, (hash) => Buffer.from(hash, 'latin1'));
  }
}

const HASH_BYTES = 32;
