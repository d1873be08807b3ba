import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryPhase } from '#domain/status/registry-status.js';
import { FINALIZER, triggerTokenOf } from '#kubernetes/kubernetes-resource-store.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { referencedObjects } from './referenced-objects.js';
import type { Reference } from './referenced-objects.js';

/** As much of an MCPRegistry as it takes to know whether, and of what, its workflow must be told. */
export interface SeenRegistry {
  readonly ref: RegistryRef;
  readonly generation: number;
  readonly triggerToken: string | undefined;
  readonly deleting: boolean;
  /** When it was first seen to be deleted, on the clock of `performance`. */
  readonly deletingSinceMs?: number;
  /** Our finalizer holds it. */
  readonly held: boolean;
  readonly references: ReadonlySet<Reference>;
  /** As its status tells. */
  readonly phase?: RegistryPhase;
  /** When the data that is served was synced, by source. */
  readonly syncedAtMs: Readonly<Record<string, number>>;
}

/** The MCPRegistries that the watcher has seen, found by uid, by name and by what they refer to. */
export class RegistryIndex {
  private readonly byUid = new Map<string, SeenRegistry>();

  /** Takes note; says whether there is something in it that the workflow does not know. */
  note(object: RegistryObject): { readonly seen: SeenRegistry; readonly isNews: boolean } {
    const { namespace = '', name, uid = '', generation = 0, deletionTimestamp, finalizers = [] } = object.metadata;
    const before = this.byUid.get(uid);
    const deleting = deletionTimestamp !== undefined;
    const seen: SeenRegistry = {
      ref: { namespace, name, uid },
      generation,
      triggerToken: triggerTokenOf(object.metadata),
      deleting,
      ...(deleting && { deletingSinceMs: before?.deletingSinceMs ?? performance.now() }),
      held: finalizers.includes(FINALIZER),
      // Counted as an edit of the spec whenever that changes: what it refers to is the same until then.
      references: before?.generation === generation ? before.references : referencedObjects(object.spec),
      ...(object.status?.phase && { phase: object.status.phase }),
      syncedAtMs: syncTimes(object),
    };
    this.byUid.set(uid, seen);
    const isNews =
      !before ||
      before.generation !== seen.generation ||
      before.triggerToken !== seen.triggerToken ||
      before.deleting !== seen.deleting ||
      (!seen.held && !seen.deleting);
    return { seen, isNews };
  }

  /** What was known of it. */
  forget({ uid }: Pick<RegistryRef, 'uid'>): SeenRegistry | undefined {
    const seen = this.byUid.get(uid);
    this.byUid.delete(uid);
    return seen;
  }

  find(uid: string): SeenRegistry | undefined {
    return this.byUid.get(uid);
  }

  findByName(namespace: string, name: string): SeenRegistry | undefined {
    return this.all().find(({ ref }) => ref.namespace === namespace && ref.name === name);
  }

  all(): SeenRegistry[] {
    return [...this.byUid.values()];
  }

  referrers(namespace: string, reference: Reference): RegistryRef[] {
    return this.all().flatMap(({ ref, references }) =>
      ref.namespace === namespace && references.has(reference) ? [ref] : [],
    );
  }
}

function syncTimes({ status }: RegistryObject): Record<string, number> {
  return Object.fromEntries(
    (status?.syncStatus?.sources ?? []).flatMap(({ name, lastSyncTime }) =>
      lastSyncTime === undefined ? [] : [[name, Date.parse(lastSyncTime)]],
    ),
  );
}
