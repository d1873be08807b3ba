import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';

const SHARE = 0.5;
const LEAST = 10;

/** The removals that the user has agreed to: all, or those that the shrink guard has blocked. Undefined means none. */
export type Consent = 'all' | 'held';

/**
 * A blocked revision, with the entries that it would remove, each as `name version`. Only these removals can be
 * confirmed.
 */
export interface HeldBack {
  readonly revision: string;
  readonly removals: readonly string[];
}

export class ShrinkRefused extends RegistryError {
  constructor(
    readonly held: HeldBack,
    message: string,
  ) {
    super('ShrinkGuard', message);
  }
}

interface Guarded {
  readonly revision: string;
  readonly filterHash: string;
  readonly consent?: Consent;
}

/**
 * Throws if a source would lose all of its served entries at once, or most of them. This is usually a mistake, such as
 * a truncated export, a wrong branch or an empty response. Until the removal is confirmed, the stored entries continue
 * to be served. `lost` are the entries that were served and would no longer be; entries that the filter excluded anyway
 * do not count. An edit of the filter since the last sync counts as consent, whether or not it has already been applied
 * to the stored entries. Consent to blocked removals covers any revision that removes no other entries, because a
 * branch may have moved on before the user confirms.
 */
export async function refuseShrinking(
  client: Client,
  sourceId: number,
  { revision, filterHash, consent }: Guarded,
  { lost, served }: { readonly lost: readonly string[]; readonly served: number },
): Promise<void> {
  const isEmptied = lost.length > 0 && served === 0;
  if (consent === 'all' || (!isEmptied && lost.length < LEAST)) return;
  const { before, isRefiltered, held } = await readGuarded(client, sourceId, filterHash);
  if (isRefiltered || (!isEmptied && lost.length <= before * SHARE)) return;
  const confirmed = new Set(consent === 'held' ? held : []);
  const others = lost.filter((id) => !confirmed.has(id));
  if (others.length === 0) return;
  const more = confirmed.size > 0 ? `, ${others.length} of which were not confirmed` : '';
  throw new ShrinkRefused(
    { revision, removals: lost.toSorted() },
    `revision ${revision} would remove ${lost.length} of ${before} servers${more}, so it is blocked and the stored ones continue to ` +
      'be served: trigger a sync to accept it',
  );
}

interface GuardedSource {
  readonly before: number;
  readonly isRefiltered: boolean;
  readonly held: readonly string[] | null;
}

async function readGuarded(client: Client, sourceId: number, filterHash: string): Promise<GuardedSource> {
  const { rows } = await client.query<GuardedSource>(
    `SELECT served_count AS before, synced_filter_hash IS DISTINCT FROM $2 AS "isRefiltered", held_removals AS held
       FROM source WHERE id = $1`,
    [sourceId, filterHash],
  );
  return rows[0] as GuardedSource;
}
