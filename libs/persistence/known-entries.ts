import type { Client } from 'pg';
import { STORED_COUNTS } from './count-entries.js';
import type { StoredCounts } from './count-entries.js';

/** The hashes of a source's live rows, which show which entries of a new revision are already stored. */
export class KnownEntries {
  private constructor(
    private readonly unclaimed: Set<string>,
    /** Whether no entry was ever stored, not even one that is now a tombstone. */
    readonly isEmpty: boolean,
    readonly counts: StoredCounts,
  ) {}

  static async load(client: Client, sourceId: number): Promise<KnownEntries> {
    // Reads one concatenated value instead of one row per hash, which is seven times faster and creates no garbage.
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

  /** Claims the entry with this hash (latin1). Returns whether it is stored and had not been claimed before. */
  claim(hash: string): boolean {
    return this.unclaimed.delete(hash);
  }

  /**
   * Returns the hashes of stored entries that are not part of the revision, because they were removed or are in
   * quarantine.
   */
  leftOver(): Buffer[] {
    return Array.from(this.unclaimed, (hash) => Buffer.from(hash, 'latin1'));
  }
}

const HASH_BYTES = 32;
