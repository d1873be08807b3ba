import { PUBLISHED_TYPE } from '#domain/published-type.js';
import { IsNull, LessThanOrEqual } from 'typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { SourceOutline, SyncOutcome } from '#domain/sync.js';
import { CATALOGUE_CHANNEL } from './catalogue-channel.js';
import { LEASE_SECONDS } from './claim-store.js';
import { EntryEntity } from './entities/entry.entity.js';
import { RegistryEntity } from './entities/registry.entity.js';
import { SourceEntity } from './entities/source.entity.js';
import { SyncRunEntity } from './entities/sync-run.entity.js';
import type { HeldBack } from './shrink-guard.js';
import { Overtaken } from './source-row.js';

/** Number of sync runs that are kept for each source. */
const KEPT_RUNS = 200;

/**
 * A plan is adopted before anything is synced, so it waits at most this long for a row that another transaction has
 * locked.
 */
const LOCK_TIMEOUT_MS = 3_000;

/** Maximum number of quarantined entries that a message names, and maximum characters of each name. */
const NAMED_ENTRIES = 10;
const NAMED_CHARACTERS = 100;

/** The part of a source's spec that is stored. */
export interface PlannedSource extends SourceOutline {
  readonly filter?: SourceFilter;
}

/** Stores everything about registries, their sources and sync runs, except for the entries themselves. */
export class RegistryCatalogue {
  /**
   * `isShared`: whether other processes keep their own registries in this store, so that no single registry has claimed
   * it.
   */
  constructor(
    private readonly dataSource: DataSource,
    private readonly isShared = false,
  ) {}

  /**
   * Makes the stored sources match the plan, in its order. Idempotent; a plan that equals the stored one writes
   * nothing.
   *
   * The rows of a source that left the spec are deleted, unless they were published. Published rows are no longer
   * served, but are kept for 30 days, and are found again by a source of the same name. A resource that was recreated
   * takes over everything stored under its name.
   *
   * Throws `ShrinkGuard` if a source of another type would take the name of published entries, and
   * `DatabaseOwnedByAnother` if another process serves the name.
   */
  async adoptPlan(registry: RegistryRef, displayName: string | null, plan: readonly PlannedSource[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      let changed = await claimRegistry(manager, registry, displayName, this.isShared);
      const stored = await manager.findBy(SourceEntity, placeOf(registry));
      const gone = stored.filter(({ name, leftAt }) => !leftAt && !plan.some((source) => source.name === name));
      changed = (await leaveSources(manager, gone)) || changed;
      for (const [position, source] of plan.entries()) {
        const before = stored.find(({ name }) => name === source.name);
        changed = (await adoptSource(manager, registry, { position, source, before })) || changed;
      }
      if (changed) await notify(manager, registry);
    });
  }

  /** Returns the stored source, or null if the registry (by name and uid) or the source is not stored. */
  findSource(registry: RegistryRef, name: string): Promise<SourceEntity | null> {
    return this.dataSource.manager.findOneBy(SourceEntity, {
      ...placeOf(registry),
      name,
      leftAt: IsNull(),
      owner: { uid: registry.uid },
    });
  }

  /** Returns the stored source. Throws `Cancelled` if the registry or the source no longer exists. */
  async getSource(registry: RegistryRef, name: string): Promise<SourceEntity> {
    const source = await this.findSource(registry, name);
    if (!source) throw new RegistryError('Cancelled', `source "${name}" is no longer part of the registry`, 'stop');
    return source;
  }

  /**
   * Returns the stored source for a sync run, and makes the run's number its fencing token: runs with lower numbers can
   * no longer publish. Throws `Cancelled` if the source no longer exists or a later run has opened it.
   */
  async openSource(registry: RegistryRef, name: string, run: number): Promise<SourceEntity> {
    const source = await this.getSource(registry, name);
    const fence = Number(source.fence);
    if (fence > run) throw new Overtaken(name, run, fence);
    if (fence < run) {
      await this.dataSource.manager.query('UPDATE source SET fence = $2 WHERE id = $1 AND fence < $2', [
        source.id,
        run,
      ]);
    }
    return { ...source, fence: String(run) };
  }

  /**
   * Records that a sync is running. Does not wait for a lock on the source's row, because its holder is syncing too.
   */
  async markSyncing({ id }: SourceEntity): Promise<void> {
    await this.dataSource.manager.query(
      'UPDATE source SET syncing_since = now() WHERE id = (SELECT id FROM source WHERE id = $1 FOR UPDATE SKIP LOCKED)',
      [id],
    );
  }

  /**
   * Records that the source still has the content that was stored when the run opened it. Only the time and the name of
   * the revision are updated. Throws a retryable `Cancelled` if another run, or another attempt of this one, has opened
   * or published something since: this content would get the name of a revision that is not stored.
   */
  async markSynced({ id, name, fence, revision: before, contentHash }: SourceEntity, revision: string): Promise<void> {
    const nothingHeld = { heldRevision: null, heldTrigger: null, heldRemovals: null, heldConfirmed: false };
    const changes = { revision, syncedAt: new Date(), syncedFilterHash: () => 'filter_hash', ...nothingHeld };
    const unchanged = { id, fence, revision: before ?? IsNull(), contentHash: contentHash ?? IsNull() };
    const { affected } = await this.dataSource.manager.update(SourceEntity, unchanged, changes);
    if (affected) return;
    const message = `source "${name}" was synced by another run in the meantime, so the result of this one is dropped`;
    throw new RegistryError('Cancelled', message, 'retry');
  }

  /**
   * Stores the revision that the shrink guard blocked, with the value of the sync trigger at that time. Idempotent: the
   * trigger of the first time is kept. Does nothing if a later run has opened the source.
   */
  async holdBack(
    { id, fence }: SourceEntity,
    { revision, removals }: HeldBack,
    triggerToken: string | undefined,
  ): Promise<void> {
    await this.dataSource.manager.query(
      `UPDATE source SET held_revision = $2, held_trigger = $3, held_removals = $4::text[], held_confirmed = false
        WHERE id = $1 AND fence = $5 AND (held_revision, held_removals) IS DISTINCT FROM ($2, $4::text[])`,
      [id, revision, triggerToken ?? null, removals, fence],
    );
  }

  /** Returns the keys of the first quarantined entries, truncated for use in a message. */
  async firstQuarantined(source: SourceEntity): Promise<string[]> {
    const rows: { key: string }[] = await this.dataSource.manager.query(
      'SELECT left(key, $2) AS key FROM quarantined_entry WHERE source_id = $1 ORDER BY id LIMIT $3',
      [source.id, NAMED_CHARACTERS, NAMED_ENTRIES],
    );
    return rows.map(({ key }) => key);
  }

  /**
   * Stores a run and deletes those beyond the newest 200. Keeps what the run recorded together with its publication,
   * and returns it. Idempotent. Returns undefined if the source no longer exists.
   */
  async recordRun(
    registry: RegistryRef,
    workflowId: string,
    outcome: SyncOutcome,
  ): Promise<Pick<SyncOutcome, 'revision' | 'counts'> | undefined> {
    const source = await this.findSource(registry, outcome.source);
    if (!source) return undefined;
    return this.dataSource.transaction(async (manager) => {
      const published = await manager.findOneBy(SyncRunEntity, { workflowId, sourceId: source.id });
      const revision = published?.revision ?? outcome.revision;
      const counts = published?.counts ?? outcome.counts;
      await manager.upsert(
        SyncRunEntity,
        {
          workflowId,
          sourceId: source.id,
          trigger: outcome.trigger,
          startedAt: new Date(outcome.startedAt),
          finishedAt: new Date(outcome.finishedAt),
          revision: revision ?? null,
          counts: counts ?? null,
          warning: outcome.notice?.message ?? null,
          failureReason: outcome.failure?.reason ?? null,
          failureMessage: outcome.failure?.message ?? null,
          failureDestiny: outcome.failure?.destiny ?? null,
        },
        ['workflowId'],
      );
      const isOfLatestRun = { id: source.id, fence: LessThanOrEqual(String(outcome.run)) };
      await manager.update(SourceEntity, isOfLatestRun, { syncingSince: null });
      await manager.query(
        `DELETE FROM sync_run WHERE source_id = $1 AND workflow_id NOT IN
           (SELECT workflow_id FROM sync_run WHERE source_id = $1 ORDER BY started_at DESC LIMIT ${KEPT_RUNS})`,
        [source.id],
      );
      // Notifies readers, because readiness waits for the first result of every source, even if it is a failure.
      await notify(manager, registry);
      return { ...(revision !== undefined && { revision }), ...(counts && { counts }) };
    });
  }

  /**
   * Removes a registry and its synced entries, unless the name now belongs to another uid. Published entries are kept
   * for 30 days.
   */
  async removeRegistry(registry: RegistryRef): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const { namespace, name, uid } = registry;
      if (!(await manager.existsBy(RegistryEntity, { namespace, name, uid }))) return;
      await leaveSources(manager, await manager.findBy(SourceEntity, { ...placeOf(registry), leftAt: IsNull() }));
      const isEmpty = !(await manager.existsBy(SourceEntity, placeOf(registry)));
      if (isEmpty) await manager.delete(RegistryEntity, { namespace, name, uid });
      else await manager.update(RegistryEntity, { namespace, name, uid }, { claimedAt: null });
      await notify(manager, registry);
    });
  }
}

/** How long the published entries of a source are kept after it was removed from the spec. */
const KEPT_AFTER_LEAVING = '30 days';

/**
 * Deletes sources that were removed from the spec. Sources with published entries are kept for a while and deleted
 * later.
 */
async function leaveSources(manager: EntityManager, gone: readonly SourceEntity[]): Promise<boolean> {
  for (const source of gone) {
    const isKept = source.type === PUBLISHED_TYPE && (await hasEntries(manager, source));
    if (isKept) await manager.update(SourceEntity, { id: source.id }, { leftAt: () => 'now()' });
    else await manager.delete(SourceEntity, { id: source.id });
  }
  await manager.query(`DELETE FROM source WHERE left_at < now() - interval '${KEPT_AFTER_LEAVING}'`);
  return gone.length > 0;
}

interface Adoption {
  readonly position: number;
  readonly source: PlannedSource;
  /** The stored source with this name, which may have been removed from the spec before. */
  readonly before: SourceEntity | undefined;
}

/** Stores a source of the plan. Returns whether anything was written. */
async function adoptSource(
  manager: EntityManager,
  registry: RegistryRef,
  { position, source, before }: Adoption,
): Promise<boolean> {
  const wanted = {
    position,
    type: source.type,
    format: source.format,
    address: source.address,
    intervalMs: source.intervalMs === undefined ? null : String(Math.round(source.intervalMs)),
    filter: source.filter === undefined ? null : JSON.stringify(source.filter),
    leftAt: null,
  };
  if (before && isEqual(before, wanted)) return false;
  if (before?.type === PUBLISHED_TYPE && source.type !== PUBLISHED_TYPE && (await hasEntries(manager, before))) {
    throw new RegistryError('ShrinkGuard', nameIsTaken(source), 'stop');
  }
  if (before) await manager.update(SourceEntity, { id: before.id }, { ...wanted, updatedAt: new Date() });
  else await manager.insert(SourceEntity, { ...placeOf(registry), name: source.name, ...wanted });
  return true;
}

function hasEntries(manager: EntityManager, { id }: SourceEntity): Promise<boolean> {
  return manager.existsBy(EntryEntity, { sourceId: id, deletedAt: IsNull() });
}

function nameIsTaken({ name, type }: PlannedSource): string {
  return (
    `source "${name}" is now of type ${type}, but entries were published to the managed source of that name, and syncing would ` +
    'remove them: give the new source another name, or delete the published entries first'
  );
}

function placeOf(registry: RegistryRef): { namespace: string; registry: string } {
  return { namespace: registry.namespace, registry: registry.name };
}

/** Assigns the name to this resource, even if another resource had it before. Returns whether anything was written. */
async function claimRegistry(
  manager: EntityManager,
  { namespace, name, uid }: RegistryRef,
  displayName: string | null,
  isShared: boolean,
): Promise<boolean> {
  const known = await manager.findOneBy(RegistryEntity, { namespace, name });
  if (known?.uid === uid && known.displayName === displayName) return false;
  // If two resources are the first of this name at the same time, one of them waits here for the other to insert the
  // row.
  await manager.query('INSERT INTO registry (namespace, name, uid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    namespace,
    name,
    uid,
  ]);
  await demandClaim(manager, { namespace, name, uid });
  const claimedAt = isShared ? () => 'now()' : null;
  await manager.update(RegistryEntity, { namespace, name }, { uid, displayName, claimedAt, updatedAt: new Date() });
  return true;
}

/**
 * Locks the row of a registry. Throws if another resource serves the name, either with a claim on the whole database or
 * with a claim on this row.
 */
async function demandClaim(manager: EntityManager, { namespace, name, uid }: RegistryRef): Promise<void> {
  const rows: { uid: string; claimedBy: string | null; isServed: boolean | null }[] = await manager.query(
    `SELECT registry.uid, store.claimed_by AS "claimedBy",
            registry.claimed_at > now() - make_interval(secs => ${LEASE_SECONDS}) AS "isServed"
       FROM registry CROSS JOIN store WHERE namespace = $1 AND name = $2 FOR UPDATE OF registry`,
    [namespace, name],
  );
  const holder = rows.find((row) => row.uid !== uid);
  if (!holder || holder.claimedBy === uid) return;
  if (holder.claimedBy === null && !holder.isServed) return;
  throw new RegistryError(
    'DatabaseOwnedByAnother',
    `the database is claimed by another MCPRegistry ${namespace}/${name} (uid ${holder.claimedBy ?? holder.uid}), not by ${uid}: give ` +
      `each a database of its own, or another name. If that one is gone, this one takes over ${LEASE_SECONDS} s after it was last seen`,
  );
}

function isEqual<T extends object>(stored: T, wanted: Partial<T>): boolean {
  return Object.entries(wanted).every(([key, value]) => stored[key as keyof T] === value);
}

async function notify(manager: EntityManager, { namespace, name }: RegistryRef): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${name}`]);
}
