import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryPhase } from '#domain/status/registry-status.js';
import { FINALIZER, triggerTokenOf } from '#kubernetes/kubernetes-resource-store.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { referencedObjects } from './referenced-objects.js';
import type { Reference } from './referenced-objects.js';

/** The part of an MCPRegistry that determines whether and why its workflow must be nudged. */
export interface SeenRegistry {
  readonly ref: RegistryRef;
  readonly generation: number;
  readonly triggerToken: string | undefined;
  readonly deleting: boolean;
  /** Time at which its deletion was first seen, on the monotonic clock of `performance`. */
  readonly deletingSinceMs?: number;
  /** Whether the registry has our finalizer. */
  readonly held: boolean;
  readonly references: ReadonlySet<Reference>;
  /** The phase in its status. */
  readonly phase?: RegistryPhase;
  /** Time at which the served data was synced, by source. */
  readonly syncedAtMs: Readonly<Record<string, number>>;
  /** Number of entries in quarantine, by source. */
  readonly quarantined: Readonly<Record<string, number>>;
}

/**
 * The MCPRegistries that the watcher has seen, by name and by the objects that they refer to. A reference to a registry
 * counts only if namespace, name and uid all match an existing one, because anybody can write a uid anywhere.
 */
export class RegistryIndex {
  /** The registries by `namespace/name`. */
  private readonly byName = new Map<string, SeenRegistry>();
  private readonly countByNamespace = new Map<string, number>();
  /** An inverted index from an object to `namespace/name` of the registries that refer to it. */
  private readonly byReference = new Map<string, Set<string>>();

  /** Records a registry; returns whether it contains anything that its workflow does not know yet. */
  note(object: RegistryObject): { readonly seen: SeenRegistry; readonly isFirst: boolean; readonly isNews: boolean } {
    const { namespace = '', name, uid = '', generation = 0, deletionTimestamp, finalizers = [] } = object.metadata;
    const ref = { namespace, name, uid };
    const before = this.find(ref);
    const deleting = deletionTimestamp !== undefined;
    const seen: SeenRegistry = {
      ref,
      generation,
      triggerToken: triggerTokenOf(object.metadata),
      deleting,
      ...(deleting && { deletingSinceMs: before?.deletingSinceMs ?? performance.now() }),
      held: finalizers.includes(FINALIZER),
      // Every edit of the spec increases the generation, so the references of the same generation are reused.
      references: before?.generation === generation ? before.references : referencedObjects(object.spec),
      ...(object.status?.phase && { phase: object.status.phase }),
      syncedAtMs: syncTimes(object),
      quarantined: quarantines(object),
    };
    this.replace(displayRef(ref), seen);
    const isNews =
      !before ||
      before.generation !== seen.generation ||
      before.triggerToken !== seen.triggerToken ||
      before.deleting !== seen.deleting ||
      (!seen.held && !seen.deleting);
    return { seen, isFirst: !before, isNews };
  }

  /** Forgets a deleted registry; returns its last known state. */
  forget(ref: RegistryRef): SeenRegistry | undefined {
    const seen = this.find(ref);
    if (seen) this.replace(displayRef(ref), undefined);
    return seen;
  }

  /** Finds a registry by namespace, name and uid together. */
  find(ref: RegistryRef): SeenRegistry | undefined {
    const seen = this.findByName(ref.namespace, ref.name);
    return seen?.ref.uid === ref.uid ? seen : undefined;
  }

  findByName(namespace: string, name: string): SeenRegistry | undefined {
    return this.byName.get(displayRef({ namespace, name }));
  }

  /** Returns whether a namespace has a registry. */
  hasNamespace(namespace: string): boolean {
    return this.countByNamespace.has(namespace);
  }

  all(): SeenRegistry[] {
    return [...this.byName.values()];
  }

  get size(): number {
    return this.byName.size;
  }

  referrers(namespace: string, reference: Reference): RegistryRef[] {
    const names = this.byReference.get(`${namespace}/${reference}`) ?? [];
    return [...names].flatMap((name) => this.byName.get(name)?.ref ?? []);
  }

  private replace(name: string, seen: SeenRegistry | undefined): void {
    const before = this.byName.get(name);
    if (seen) this.byName.set(name, seen);
    else this.byName.delete(name);
    this.count(before, -1);
    this.count(seen, 1);
    if (before?.references === seen?.references) return;
    for (const key of referenceKeys(before)) {
      const names = this.byReference.get(key);
      names?.delete(name);
      if (names?.size === 0) this.byReference.delete(key);
    }
    for (const key of referenceKeys(seen)) {
      const names = this.byReference.get(key) ?? new Set();
      this.byReference.set(key, names.add(name));
    }
  }

  private count(seen: SeenRegistry | undefined, change: 1 | -1): void {
    if (!seen) return;
    const { namespace } = seen.ref;
    const count = (this.countByNamespace.get(namespace) ?? 0) + change;
    if (count > 0) this.countByNamespace.set(namespace, count);
    else this.countByNamespace.delete(namespace);
  }
}

function referenceKeys(seen: SeenRegistry | undefined): string[] {
  return seen ? [...seen.references].map((reference) => `${seen.ref.namespace}/${reference}`) : [];
}

function syncTimes({ status }: RegistryObject): Record<string, number> {
  return Object.fromEntries(
    (status?.syncStatus?.sources ?? []).flatMap(({ name, lastSyncTime }) =>
      lastSyncTime === undefined ? [] : [[name, Date.parse(lastSyncTime)]],
    ),
  );
}

function quarantines({ status }: RegistryObject): Record<string, number> {
  const sources = status?.syncStatus?.sources ?? [];
  return Object.fromEntries(sources.map(({ name, quarantined = 0 }) => [name, quarantined]));
}
