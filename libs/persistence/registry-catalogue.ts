import type { DataSource, EntityManager } from 'typeorm';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { SourceOutline, SyncOutcome } from '#domain/sync.js';
import { CATALOGUE_CHANNEL } from './catalogue-channel.js';
import { RegistryEntity } from './entities/registry.entity.js';
import { SourceEntity } from './entities/source.entity.js';
import { SyncRunEntity } from './entities/sync-run.entity.js';

/** Sync runs kept of each source. */
const KEPT_RUNS = 200;

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
   * Makes the stored sources those of the plan, in its order. A source that left the spec loses its rows; a registry
   * that another uid had under this name is started afresh. Safe to repeat; equal plans write nothing.
   */
  async adoptPlan(registry: RegistryRef, displayName: string | null, plan: readonly PlannedSource[]): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const known = await claimRegistry(manager, registry, displayName);
      let changed = known === 'new';
      const stored = await manager.findBy(SourceEntity, placeOf(registry));
      for (const gone of stored.filter(({ name }) => !plan.some((source) => source.name === name))) {
        await manager.delete(SourceEntity, { id: gone.id });
        changed = true;
      }
      for (const [position, source] of plan.entries()) {
        const before = stored.find(({ name }) => name === source.name);
        const wanted = {
          position,
          type: source.type,
          format: source.format,
          address: source.address,
          intervalMs: source.intervalMs === undefined ? null : String(Math.round(source.intervalMs)),
          filter: source.filter === undefined ? null : JSON.stringify(source.filter),
        };
        if (before && isEqual(before, wanted)) continue;
        changed = true;
        if (before) await manager.update(SourceEntity, { id: before.id }, { ...wanted, updatedAt: new Date() });
        else await manager.insert(SourceEntity, { ...placeOf(registry), name: source.name, ...wanted });
      }
      if (changed) await notify(manager, registry);
    });
  }

  /** Returns the stored source; null when the registry, by name and uid, or the source is not stored. */
  findSource(registry: RegistryRef, name: string): Promise<SourceEntity | null> {
    return this.dataSource.manager.findOneBy(SourceEntity, {
      ...placeOf(registry),
      name,
      owner: { uid: registry.uid },
    });
  }

  /** Returns the stored source; throws `Cancelled` when the registry or the source is no longer there. */
  async getSource(registry: RegistryRef, name: string): Promise<SourceEntity> {
    const source = await this.findSource(registry, name);
    if (!source) throw new RegistryError('Cancelled', `source "${name}" is no longer part of the registry`, 'stop');
    return source;
  }

  /** For those who look meanwhile. Does not wait for whoever holds the source's row: that one is syncing too. */
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

  /** Forgets a registry and all that it served, unless the name belongs to another uid by now. */
  async removeRegistry(registry: RegistryRef): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const { namespace, name, uid } = registry;
      await manager.delete(RegistryEntity, { namespace, name, uid });
      await notify(manager, registry);
    });
  }
}

function placeOf(registry: RegistryRef): { namespace: string; registry: string } {
  return { namespace: registry.namespace, registry: registry.name };
}

async function claimRegistry(
  manager: EntityManager,
  { namespace, name, uid }: RegistryRef,
  displayName: string | null,
): Promise<'known' | 'new'> {
  const before = await manager.findOneBy(RegistryEntity, { namespace, name });
  if (before?.uid === uid && before.displayName === displayName) return 'known';
  if (before && before.uid !== uid) await manager.delete(RegistryEntity, { namespace, name });
  await manager.upsert(RegistryEntity, { namespace, name, uid, displayName, updatedAt: new Date() }, [
    'namespace',
    'name',
  ]);
  return 'new';
}

function isEqual<T extends object>(stored: T, wanted: Partial<T>): boolean {
  return Object.entries(wanted).every(([key, value]) => stored[key as keyof T] === value);
}

async function notify(manager: EntityManager, { namespace, name }: RegistryRef): Promise<void> {
  await manager.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${name}`]);
}
