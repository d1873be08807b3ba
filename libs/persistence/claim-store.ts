import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { CATALOGUE_CHANNEL } from './catalogue-channel.js';
import { withClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database-place.js';

/**
 * The MCPRegistry that claims a database. If the uid differs although the name is the same, the resource was created
 * again or belongs to another cluster.
 */
export interface StoreClaimant extends RegistryRef {
  /** Id of the cluster that contains the resource; absent if there is none. */
  readonly cluster?: string | undefined;
}

interface StoreRow {
  readonly id: string;
  readonly owner: string | null;
  readonly cluster: string | null;
  readonly claimedBy: string | null;
}

/** A claim that has not been renewed for this long has expired. */
export const LEASE_SECONDS = 90;
/** How often a server renews its claim. */
export const RENEW_CLAIM_MS = 30_000;
/**
 * A released claim lapses this long after its release, which is a little later than the next renewal was due, so that
 * another server of the same resource can renew it.
 */
const RELEASED_SECONDS = RENEW_CLAIM_MS / 1000 + 5;

/**
 * Claims the database, and the rows stored under the name, for one MCPRegistry of one cluster. Returns the id of the
 * store. Idempotent.
 *
 * Throws `DatabaseOwnedByAnother` if the database belongs to another name or cluster, or if another resource of this
 * name still uses it: the two would keep deleting each other's sources. A resource that was recreated in its cluster
 * takes the database over once the claim of the former resource has been released or has lapsed. A resource of another
 * cluster never does, unless `owner` is set to null.
 */
export function claimStore(app: DatabaseAccess, claimant: StoreClaimant): Promise<string> {
  return withClient(app, async (client) => {
    try {
      const store = await claim(client, claimant);
      const refusal = findRefusal(store, claimant);
      if (refusal !== undefined) throw ownedByAnother(app, refusal);
      await takeRowsOver(client, claimant);
      return store.id;
    } catch (error) {
      throw databaseFault(error, app, 'claim');
    }
  });
}

/**
 * Writes the claim if the claimant may have it. This is a single statement, so if two claimants try at the same time,
 * one of them finds the row of the other. A matching uid proves that the claimant is in the owning cluster, even if the
 * id of that cluster has changed.
 */
async function claim(client: Client, { namespace, name, uid, cluster }: StoreClaimant): Promise<StoreRow> {
  await client.query(
    `UPDATE store SET owner = $1, cluster = $3, claimed_by = $2, claimed_at = now()
      WHERE (owner IS NULL OR owner = $1 AND (cluster IS NULL OR cluster = $3 OR claimed_by = $2))
        AND (claimed_by IS NULL OR claimed_by = $2 OR claimed_at < now() - make_interval(secs => ${LEASE_SECONDS}))`,
    [`${namespace}/${name}`, uid, cluster ?? null],
  );
  const sql = 'SELECT id, owner, cluster, claimed_by AS "claimedBy" FROM store';
  return (await client.query<StoreRow>(sql)).rows[0] as StoreRow;
}

/** Owner of a store that is shared by standalone instances, each with its own registries. */
const STANDALONE = 'standalone';

/**
 * Marks a database as owned by standalone instances. Throws `DatabaseOwnedByAnother` if it belongs to an MCPRegistry of
 * a cluster.
 */
export function claimForStandalone(app: DatabaseAccess): Promise<void> {
  return withClient(app, async (client) => {
    try {
      await client.query('UPDATE store SET owner = $1 WHERE owner IS NULL', [STANDALONE]);
      const { rows } = await client.query<{ owner: string }>('SELECT owner FROM store');
      const owner = rows[0]?.owner as string;
      if (owner !== STANDALONE) throw ownedByAnother(app, belongsTo(owner, 'standalone instances'));
    } catch (error) {
      throw databaseFault(error, app, 'claim');
    }
  });
}

/** Records that a standalone instance serves the registries with these uids from rows that it has adopted. */
export async function renewRows(app: DatabaseAccess, uids: readonly string[]): Promise<void> {
  const sql = 'UPDATE registry SET claimed_at = now() WHERE uid = ANY ($1::uuid[])';
  await withClient(app, (client) => client.query(sql, [uids]));
}

/** Releases the rows, so that another instance can take them over at once. */
export async function releaseRows(app: DatabaseAccess, uids: readonly string[]): Promise<void> {
  const sql = 'UPDATE registry SET claimed_at = NULL WHERE uid = ANY ($1::uuid[])';
  await withClient(app, (client) => client.query(sql, [uids]));
}

/** Gives the rows the uid of the claimant, because servers show only rows of the uid that they serve. */
async function takeRowsOver(client: Client, { namespace, name, uid }: StoreClaimant): Promise<void> {
  const sql = 'UPDATE registry SET uid = $3, updated_at = now() WHERE namespace = $1 AND name = $2 AND uid <> $3';
  const { rowCount } = await client.query(sql, [namespace, name, uid]);
  if (rowCount) await client.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${name}`]);
}

/** Renews a claim. Returns false if the database is no longer the claimed one, or was claimed by another resource. */
export function renewClaim(app: DatabaseAccess, { uid, storeId }: { uid: string; storeId: string }): Promise<boolean> {
  return withClient(app, async (client) => {
    try {
      const sql = 'UPDATE store SET claimed_at = now() WHERE id = $1 AND claimed_by = $2';
      return (await client.query(sql, [storeId, uid])).rowCount === 1;
    } catch (error) {
      throw databaseFault(error, app, 'claim');
    }
  });
}

/** Makes a claim expire soon, unless another server of the same resource renews it in the meantime. */
export async function releaseClaim(app: DatabaseAccess, uid: string): Promise<void> {
  const sql = 'UPDATE store SET claimed_at = now() - make_interval(secs => $2) WHERE claimed_by = $1';
  await withClient(app, (client) => client.query(sql, [uid, LEASE_SECONDS - RELEASED_SECONDS]));
}

/**
 * Returns who holds a database and what to do about it; undefined if the claimant holds it. The message is the same
 * each time, so that it is reported only once.
 */
function findRefusal(store: StoreRow, { namespace, name, uid, cluster }: StoreClaimant): string | undefined {
  const wanted = `${namespace}/${name}`;
  const { owner, claimedBy } = store;
  if (owner === wanted && claimedBy === uid) return undefined;
  if (owner !== null && owner !== wanted) return belongsTo(owner, wanted);
  if (owner !== null && store.cluster !== null && store.cluster !== cluster) {
    return (
      `belongs to MCPRegistry ${owner} (uid ${claimedBy}) of cluster ${store.cluster}, not of ${cluster ?? 'no cluster'}: give each ` +
      'cluster a database of its own. To move it here, delete that registry, then run: UPDATE store SET owner = NULL'
    );
  }
  return (
    `is in use by another MCPRegistry ${wanted} (uid ${claimedBy}): give each a database of its own. If that one is gone, this one ` +
    `takes over ${LEASE_SECONDS} s after it was last seen`
  );
}

function belongsTo(owner: string, wanted: string): string {
  const holder = owner === STANDALONE ? 'standalone instances' : `MCPRegistry ${owner}`;
  const gone = owner === STANDALONE ? 'they are' : 'that registry is';
  return `belongs to ${holder}, not ${wanted}: give this registry a database of its own. If ${gone} gone for good, run: UPDATE store SET owner = NULL`;
}

function ownedByAnother({ database, host }: DatabaseAccess, refusal: string): RegistryError {
  return new RegistryError('DatabaseOwnedByAnother', `database ${database} at ${host} ${refusal}`);
}
