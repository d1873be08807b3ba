import { IsNull } from 'typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { SourceOutline, SyncOutcome } from '#domain/sync.js';
import { CATALOGUE_CHANNEL } from './catalogue-channel.js';
import { EntryEntity } from './entities/entry.entity.js';
import { RegistryEntity } from './entities/registry.entity.js';
import { SourceEntity } from './entities/source.entity.js';
import { StoreEntity } from './entities/store.entity.js';
import { SyncRunEntity } from './entities/sync-run.entity.js';
import { Overtaken } from './source-row.js';

/** Sync runs kept of each source. */
const KEPT_RUNS = 200;

/** A plan is adopted before anything is synced, so it waits no longer than this for a row that another transaction holds. */
const LOCK_TIMEOUT_MS = 3_000;

/** What a message can name of a quarantine. */
const NAMED_ENTRIES = 10;
const NAMED_CHARACTERS = 100;

/** What is stored of a source's spec. */
export interface PlannedSource extends SourceOutline {
  readonly filter?: SourceFilter;
}

/** What is stored about registries, their sources and sync runs: everything but the entries themselves. */
export class RegistryCatalogue {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Makes the stored sources those of the plan, in its order. A source that left the spec loses its rows, unless they were
   * published: those are served no more, but kept for 30 days and found again by the source's name. A resource that was
   * created again takes over what is stored under its name. Idempotent; equal plans write nothing. Throws `ShrinkGuard` when a
   * source of another type would take the name of published entries.
   */
  async adoptPlan(registry: RegistryRef, displayName: string | null, plan: readonly PlannedSource[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await manager.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      let changed = await claimRegistry(manager, registry, displayName);
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

  /** Returns the stored source; null when the registry, by name and uid, or the source is not stored. */
  findSource(registry: RegistryRef, name: string): Promise<SourceEntity | null> {
    return this.dataSource.manager.findOneBy(SourceEntity, {
      ...placeOf(registry),
      name,
      leftAt: IsNull(),
      owner: { uid: registry.uid },
    });
  }

  /** Returns the stored source; throws `Cancelled` when the registry or the source is no longer there. */
  async getSource(registry: RegistryRef, name: string): Promise<SourceEntity> {
    const source = await this.findSource(registry, name);
    if (!source) throw new RegistryError('Cancelled', `source "${name}" is no longer part of the registry`, 'stop');
    return source;
  }

  /**
   * Returns the stored source for a sync run, and makes the run's number its fencing token: runs with lower numbers may not
   * publish any more. Throws `Cancelled` when the source is gone or a later run has opened it.
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
    return source;
  }

  /** Shows that a sync is running. Does not wait for another holder of the source's row, which is syncing too. */
  async markSyncing({ id }: SourceEntity): Promise<void> {
    await this.dataSource.manager.query(
      'UPDATE source SET syncing_since = now() WHERE id = (SELECT id FROM source WHERE id = $1 FOR UPDATE SKIP LOCKED)',
      [id],
    );
  }

  /** The source holds what is stored already; only the time and the name of the revision are new. */
  async markSynced(source: SourceEntity, revision: string): Promise<void> {
    const nothingHeld = { heldRevision: null, heldTrigger: null, confirmedRevision: null };
    const changes = { revision, syncedAt: new Date(), syncedFilterHash: () => 'filter_hash', ...nothingHeld };
    await this.dataSource.manager.update(SourceEntity, { id: source.id }, changes);
  }

  /**
   * Remembers the revision that the shrink guard refused, with the value of the sync trigger at that time. Idempotent: the
   * trigger of the first refusal counts.
   */
  async holdBack({ id }: SourceEntity, revision: string, triggerToken: string | undefined): Promise<void> {
    await this.dataSource.manager.query(
      `UPDATE source SET held_revision = $2, held_trigger = $3, confirmed_revision = NULL
        WHERE id = $1 AND held_revision IS DISTINCT FROM $2`,
      [id, revision, triggerToken ?? null],
    );
  }

  /** The keys of the first entries in quarantine, cut to a length that a message can bear. */
  async firstQuarantined(source: SourceEntity): Promise<string[]> {
    const rows: { key: string }[] = await this.dataSource.manager.query(
      'SELECT left(key, $2) AS key FROM quarantined_entry WHERE source_id = $1 ORDER BY id LIMIT $3',
      [source.id, NAMED_CHARACTERS, NAMED_ENTRIES],
    );
    return rows.map(({ key }) => key);
  }

  /** Writes a run and forgets those beyond the newest 200. Idempotent; a run of a source that is gone is dropped. */
  async recordRun(registry: RegistryRef, workflowId: string, outcome: SyncOutcome): Promise<void> {
    const source = await this.findSource(registry, outcome.source);
    if (!source) return;
    await this.dataSource.transaction(async (manager) => {
      await manager.upsert(
        SyncRunEntity,
        {
          workflowId,
          sourceId: source.id,
          trigger: outcome.trigger,
          startedAt: new Date(outcome.startedAt),
          finishedAt: new Date(outcome.finishedAt),
          revision: outcome.revision ?? null,
          counts: outcome.counts ? { ...outcome.counts } : null,
          warning: outcome.notice?.message ?? null,
          failureReason: outcome.failure?.reason ?? null,
          failureMessage: outcome.failure?.message ?? null,
          failureDestiny: outcome.failure?.destiny ?? null,
        },
        ['workflowId'],
      );
      await manager.update(SourceEntity, { id: source.id }, { syncingSince: null });
      await manager.query(
        `DELETE FROM sync_run WHERE source_id = $1 AND workflow_id NOT IN
           (SELECT workflow_id FROM sync_run WHERE source_id = $1 ORDER BY started_at DESC LIMIT ${KEPT_RUNS})`,
        [source.id],
      );
      // Readiness waits for the first outcome of every source, a failure included.
      await notify(manager, registry);
    });
  }

  /** Forgets a registry and what it synced, unless the name belongs to another uid by now. Published entries stay for 30 days. */
  async removeRegistry(registry: RegistryRef): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const { namespace, name, uid } = registry;
      if (!(await manager.existsBy(RegistryEntity, { namespace, name, uid }))) return;
      await leaveSources(manager, await manager.findBy(SourceEntity, { ...placeOf(registry), leftAt: IsNull() }));
      const isEmpty = !(await manager.existsBy(SourceEntity, placeOf(registry)));
      if (isEmpty) await manager.delete(RegistryEntity, { namespace, name, uid });
      await notify(manager, registry);
    });
  }
}

/** Published entries of a source that left the spec are kept for this long. */
const KEPT_AFTER_LEAVING = '30 days';

/** Deletes sources that left the spec, keeps those with published entries aside, and purges what was kept long enough. */
async function leaveSources(manager: EntityManager, gone: readonly SourceEntity[]): Promise<boolean> {
  for (const source of gone) {
    const isKept = source.type === MANAGED && (await hasEntries(manager, source));
    if (isKept) await manager.update(SourceEntity, { id: source.id }, { leftAt: () => 'now()' });
    else await manager.delete(SourceEntity, { id: source.id });
  }
  await manager.query(`DELETE FROM source WHERE left_at < now() - interval '${KEPT_AFTER_LEAVING}'`);
  return gone.length > 0;
}

interface Adoption {
  readonly position: number;
  readonly source: PlannedSource;
  /** The stored source of this name, which may have left the spec before. */
  readonly before: SourceEntity | undefined;
}

/** Returns whether anything was written. */
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
  if (before?.type === MANAGED && source.type !== MANAGED && (await hasEntries(manager, before))) {
    throw new RegistryError('ShrinkGuard', nameIsTaken(source), 'stop');
  }
  if (before) await manager.update(SourceEntity, { id: before.id }, { ...wanted, updatedAt: new Date() });
  else await manager.insert(SourceEntity, { ...placeOf(registry), name: source.name, ...wanted });
  return true;
}

const MANAGED = 'managed';

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

/** Makes the name this resource's, whichever had it before; returns whether anything was written. */
async function claimRegistry(
  manager: EntityManager,
  { namespace, name, uid }: RegistryRef,
  displayName: string | null,
): Promise<boolean> {
  const before = await manager.findOneBy(RegistryEntity, { namespace, name });
  if (before?.uid === uid && before.displayName === displayName) return false;
  if (before && before.uid !== uid) await demandClaim(manager, { namespace, name, uid });
  await manager.upsert(RegistryEntity, { namespace, name, uid, displayName, updatedAt: new Date() }, [
    'namespace',
    'name',
  ]);
  return true;
}

/** In a database that a server has claimed, only the resource of that server takes a name over. */
async function demandClaim(manager: EntityManager, { namespace, name, uid }: RegistryRef): Promise<void> {
  const [store] = await manager.find(StoreEntity);
  if (!store?.claimedBy || store.claimedBy === uid) return;
  throw new RegistryError(
    'DatabaseOwnedByAnother',
    `the database is claimed by another MCPRegistry ${namespace}/${name} (uid ${store.claimedBy}), not by ${uid}: give each a database of its own`,
  );
}

function isEqual<T extends object>(stored: T, wanted: Partial<T>): boolean {
  return Object.entries(wanted).every(([key, value]) => stored[key as keyof T] === value);
}

async function notify(manager: EntityManager, { namespace, name }: RegistryRef): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${name}`]);
}
