import { RegistryError } from '#domain/registry-error.js';
import { withClient } from './database-client.js';
import { databaseFault } from './database-fault.js';
import type { DatabaseAccess } from './database-place.js';

/** The MCPRegistry that claims a database. Another uid under the same name is the resource created again, or another cluster's. */
export interface StoreClaimant {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

interface StoreRow {
  readonly id: string;
  readonly owner: string | null;
  readonly claimedBy: string | null;
  /** Since the claimant last renewed its claim. */
  readonly idleSeconds: number | null;
}

/** A claim that was not renewed for so long has lapsed. */
const LEASE_SECONDS = 90;
/** How often a server renews its claim. */
export const RENEW_CLAIM_MS = 30_000;

/**
 * Claims the database for one MCPRegistry and returns the id of the store; idempotent. Throws `DatabaseOwnedByAnother` if it
 * belongs to another name, or if another resource of this name still uses it: the two would take turns in deleting
 * each other's sources. A resource that was created again takes the database over once the claim of the former one
 * was released or has lapsed.
 */
export function claimStore(app: DatabaseAccess, claimant: StoreClaimant): Promise<string> {
  const { namespace, name, uid } = claimant;
  const owner = `${namespace}/${name}`;
  return withClient(app, async (client) => {
    try {
      await client.query('UPDATE store SET owner = $1 WHERE owner IS NULL', [owner]);
      if (uid !== undefined) {
        await client.query(
          `UPDATE store SET claimed_by = $2, claimed_at = now()
            WHERE owner = $1 AND (claimed_by IS NULL OR claimed_by = $2
                                  OR claimed_at < now() - make_interval(secs => ${LEASE_SECONDS}))`,
          [owner, uid],
        );
      }
      const { rows } = await client.query<StoreRow>(
        `SELECT id, owner, claimed_by AS "claimedBy", extract(epoch FROM now() - claimed_at)::int AS "idleSeconds" FROM store`,
      );
      const store = rows[0] as StoreRow;
      if (store.owner !== owner) throw ownedByAnother(app, `${store.owner}`, owner);
      if (uid !== undefined && store.claimedBy !== uid) throw inUse(app, owner, store);
      return store.id;
    } catch (error) {
      throw databaseFault(error, app, 'claim');
    }
  });
}

/** Renews a claim; returns false if the database is not the claimed one any more, or was claimed by another resource. */
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

/** Lets a claim lapse soon, unless another server of the same resource renews it meanwhile. */
export async function releaseClaim(app: DatabaseAccess, uid: string): Promise<void> {
  const sql = 'UPDATE store SET claimed_at = now() - make_interval(secs => $2) WHERE claimed_by = $1';
  await withClient(app, (client) => client.query(sql, [uid, LEASE_SECONDS - (RENEW_CLAIM_MS / 1000 + 5)]));
}

function ownedByAnother({ database, host }: DatabaseAccess, owner: string, wanted: string): RegistryError {
  return new RegistryError(
    'DatabaseOwnedByAnother',
    `database ${database} at ${host} belongs to MCPRegistry ${owner}, not ${wanted}: give this one a ` +
      'database of its own. If that registry is gone for good: UPDATE store SET owner = NULL',
  );
}

function inUse({ database, host }: DatabaseAccess, owner: string, { claimedBy, idleSeconds }: StoreRow): RegistryError {
  return new RegistryError(
    'DatabaseOwnedByAnother',
    `database ${database} at ${host} is in use by another MCPRegistry ${owner} (uid ${claimedBy}, seen ${idleSeconds} s ago), ` +
      `such as one of another cluster: give each cluster a database of its own. If it is gone, this one takes over ${LEASE_SECONDS} s after it was last seen`,
  );
}
