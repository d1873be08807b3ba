import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';

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
 * A source that loses most of what is served of it at once, or all of it, is more often broken than meant so: an export that
 * ran short, a wrong branch, an empty answer. Until it is confirmed, what is stored goes on being served. What the filter
 * left out anyway is no loss. `lost` were served and are no more. An edit of the filter since the last sync counts
 * as consent, whether or not the stored entries were marked by it before.
 */
export async function refuseShrinking(
  client: Client,
  sourceId: number,
  { revision, filterHash }: { readonly revision: string; readonly filterHash: string },
  { lost, served }: { readonly lost: number; readonly served: number },
): Promise<void> {
  const { rows } = await client.query<{ before: number; refiltered: boolean }>(
    'SELECT served_count AS before, synced_filter_hash IS DISTINCT FROM $2 AS refiltered FROM source WHERE id = $1',
    [sourceId, filterHash],
  );
  const [{ before, refiltered }] = rows as [(typeof rows)[0]];
  if (refiltered) return;
  const isEmptied = lost > 0 && served === 0;
  if (!isEmptied && (lost < LEAST || lost <= before * SHARE)) return;
  throw new ShrinkRefused(
    revision,
    `revision ${revision} would remove ${lost} of ${before} servers, so it is held back and the stored ones go on ` +
      'being served: trigger a sync to accept it',
  );
}
