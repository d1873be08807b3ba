import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { NamespaceGroup } from './namespace-groups.js';
import { TemporalNamespace } from './temporal-namespace.js';
import type { TemporalPlace, TemporalSurroundings } from './temporal-namespace.js';

/**
 * Time until writes for the old group that were running when a namespace moved have finished. Another nudge then
 * repairs their effects.
 */
const SETTLED_MS = 30_000;

/** A group of namespaces and the Temporal namespace of its registries. */
export type TemporalGroup = NamespaceGroup & TemporalPlace;

/** The Temporal namespaces of one operator: one for each group, and one for the namespaces without a group. */
export class TemporalNamespaces {
  private readonly byGroup: ReadonlyMap<string | undefined, TemporalNamespace>;
  private readonly common: TemporalNamespace;
  /** Timers of the second nudge after a namespace has moved to another group, by namespace. See SETTLED_MS. */
  private readonly settling = new Map<string, NodeJS.Timeout>();

  constructor(
    place: TemporalPlace,
    groups: readonly TemporalGroup[],
    private readonly around: TemporalSurroundings,
  ) {
    this.common = new TemporalNamespace(place, around);
    this.byGroup = new Map<string | undefined, TemporalNamespace>([
      [undefined, this.common],
      ...groups.map((group) => [group.name, new TemporalNamespace(group, around, group.name)] as const),
    ]);
  }

  /** Rejects when the process must be restarted. */
  get ended(): Promise<void> {
    return this.common.ended;
  }

  /** Whether registries without a group can be handled. */
  get isConnected(): boolean {
    return this.common.isConnected;
  }

  get backlog(): number {
    return this.all().reduce((sum, { backlog }) => sum + backlog, 0);
  }

  all(): readonly TemporalNamespace[] {
    return [...this.byGroup.values()];
  }

  /** Returns the Temporal namespace of a registry; undefined while it is unknown or ambiguous. */
  find({ namespace }: RegistryRef): TemporalNamespace | undefined {
    const { groups } = this.around;
    return groups.knows(namespace) ? this.byGroup.get(groups.groupOf(namespace)) : undefined;
  }

  /** Nudges the workflow of a registry. Does nothing until its Temporal namespace is known. */
  enqueue(registry: RegistryRef, change: { readonly drift: boolean }): void {
    const found = this.find(registry);
    if (found) found.enqueue(registry, change);
    else this.reportConflict(registry);
  }

  enqueueWorkload(registry: RegistryRef): void {
    this.find(registry)?.enqueueWorkload(registry);
  }

  /** Records a namespace, or its deletion. */
  noteNamespace(name: string, namespace: KubernetesObject | undefined): void {
    const news = this.around.groups.note(name, namespace && (namespace.metadata.labels ?? {}));
    if (news === 'new') for (const registry of this.registriesIn(name)) this.enqueue(registry, { drift: true });
    if (news === 'moved') this.move(name);
  }

  async stop(): Promise<void> {
    for (const timer of this.settling.values()) clearTimeout(timer);
    await Promise.all(this.all().map((each) => each.stop()));
  }

  private registriesIn(namespace: string): readonly RegistryRef[] {
    const refs = this.around.watcher.index.all().map(({ ref }) => ref);
    return refs.filter((ref) => ref.namespace === namespace);
  }

  private move(namespace: string): void {
    const { logger } = this.around;
    logger.info({ namespace, temporalGroup: this.groupIn(namespace) }, 'Temporal group of a namespace changed');
    this.enqueueEverywhere(namespace);
    clearTimeout(this.settling.get(namespace));
    const timer = setTimeout(() => {
      this.settling.delete(namespace);
      this.enqueueEverywhere(namespace);
    }, SETTLED_MS);
    this.settling.set(namespace, timer.unref());
  }

  /**
   * Nudges the workflows of the registries in all Temporal namespaces, so that their old workflows complete wherever
   * they are.
   */
  private enqueueEverywhere(namespace: string): void {
    for (const registry of this.registriesIn(namespace)) {
      const owner = this.find(registry);
      if (!owner) this.reportConflict(registry);
      else for (const each of this.all()) each.enqueue(registry, { drift: each === owner });
    }
  }

  private groupIn(namespace: string): string | undefined {
    const { groups } = this.around;
    return groups.knows(namespace) ? groups.groupOf(namespace) : undefined;
  }

  private reportConflict(registry: RegistryRef): void {
    const { groups, events, logger } = this.around;
    const message = groups.conflictIn(registry.namespace);
    if (message === undefined) return;
    logger.error({ registry: displayRef(registry), conflict: message }, 'Temporal group of a namespace is ambiguous');
    void events.record(registry, [{ type: 'Warning', reason: 'TemporalGroupUnclear', message }]);
  }
}
