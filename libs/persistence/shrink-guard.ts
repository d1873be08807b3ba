import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import type { EntryCounts } from '#domain/sync.js';

const SHARE = 0.5;
const LEAST = 10;

/** A revision that is held back; it is named so that it, and no other, can be confirmed. */
export class ShrinkRefused extends RegistryError {
  readonly heldRevision: string;

  constructor(revision: string, message: string) {
    super('ShrinkGuard', message);
    this.heldRevision = revision;
  }
}

/**
 * A source that loses most of its entries at once, or all of them, is more often broken than meant so: an export that
 * ran short, a wrong branch, an empty answer. Until somebody confirms it, what is stored goes on being served.
 */
export async function refuseShrinking(
  client: Client,
  sourceId: number,
  revision: string,
  { removed, served, hidden }: EntryCounts,
): Promise<void> {
  const { rows } = await client.query<{ before: number }>(
    'SELECT served_count + hidden_count AS before FROM source WHERE id = $1',
    [sourceId],
  );
  const before = rows[0]?.before ?? 0;
  const isEmptied = before > 0 && served + hidden === 0;
  if (!isEmptied && (removed < LEAST || removed <= before * SHARE)) return;
  throw new ShrinkRefused(
    revision,
    `revision ${revision} would remove ${removed} of ${before} servers, so it is held back and the stored ones go on ` +
      'being served: trigger a sync to accept it',
  );
}
