import { isDeepStrictEqual } from 'node:util';
import { REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import type { KindName } from '#kubernetes/kinds.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject, ObjectRef } from '#kubernetes/kubernetes-object.js';
import { ListWatch } from '#kubernetes/list-watch.js';
import type { ListWatchOptions, WatchState } from '#kubernetes/list-watch.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import type { Deployment, Pod } from '#kubernetes/to-workload.js';
import { MANAGED_SELECTOR, OwnedObjects } from './owned-objects.js';
import { RegistryIndex } from './registry-index.js';
import { WorkloadIndex } from './workload-index.js';

/** Selects pods by labels that no podTemplateSpec can change, unlike the label of {@link MANAGED_SELECTOR}. */
const PODS_SELECTOR = `app.kubernetes.io/component=registry-api,${REGISTRY_LABEL}`;

/** Age of a watch of Secrets from which a rejection is reported. */
const GRANT_MS = 10_000;

/** Kinds that registries refer to. Only their metadata is watched; an activity reads the rest when it needs it. */
const REFERENCED = ['ConfigMap', 'Secret', 'PersistentVolumeClaim'] as const;
const OWNED = ['ServiceAccount', 'Role', 'RoleBinding', 'Service', 'NetworkPolicy'] as const;

export interface ClusterWatcherOptions {
  readonly api: KubernetesApi;
  /** Namespaces to watch; all when empty. */
  readonly namespaces: readonly string[];
  /** Called when a registry must be nudged. `drift` says that objects created for it may have been changed. */
  onChange(registry: RegistryRef, change: { readonly drift: boolean }): void;
  /** Called when the pods or the Deployment of a registry have changed. */
  onWorkload(registry: RegistryRef): void;
  /** Called when a namespace was seen or, with undefined, is gone. Namespaces are not watched if this is absent. */
  onNamespace?(name: string, namespace: KubernetesObject | undefined): void;
  /** Called when a watch failed and is retried or, with an object, when handling that object failed. */
  onTrouble(watch: WatchName, error: unknown, object?: ObjectRef): void;
  readonly pace?: ListWatchOptions<KubernetesObject>['pace'];
}

/** Identifies a watch; without a namespace, it covers the whole cluster. */
export interface WatchName {
  readonly kind: KindName;
  readonly namespace?: string;
}

interface Watch extends WatchName {
  readonly list: ListWatch<never>;
}

/**
 * Watches everything in the cluster that concerns MCPRegistries, and reports which registries are affected; the
 * receivers read the desired state. Nothing here blocks. Each watch starts to report changes once its own first list is
 * complete, so that a rejected watch does not delay the others.
 */
export class ClusterWatcher {
  readonly index = new RegistryIndex();
  /** Settles when each watch has had a response and the registries of at least one namespace are known. */
  readonly synced: Promise<void>;

  private readonly owned = new OwnedObjects();
  private readonly workloads = new WorkloadIndex();
  private readonly watches: readonly Watch[];
  /** The watches of Secrets, by namespace; see {@link watchSecrets}. */
  private readonly secrets = new Map<string, Watch>();

  constructor(private readonly options: ClusterWatcherOptions) {
    const { namespaces } = options;
    const scopes = namespaces.length === 0 ? [undefined] : [...new Set(namespaces)];
    this.watches = [...this.watchNamespaces(), ...scopes.flatMap((namespace) => this.watchScope(namespace))];
    for (const namespace of scopes) void this.settle(namespace);
    const registries = this.watches.filter(({ kind }) => kind === 'MCPRegistry');
    this.synced = Promise.all([
      Promise.all(this.watches.map(({ list }) => list.answered)),
      Promise.race(registries.map(({ list }) => list.synced)),
    ]).then(() => undefined);
  }

  /** Returns the observed state of a registry's server. */
  workloadOf(registry: RegistryRef): WorkloadFacts {
    return this.workloads.workloadOf(registry);
  }

  /** Returns whether all registries of a namespace are known, so that any other registry does not exist. */
  sees(namespace: string): boolean {
    const watch = this.watches.find(
      (each) => each.kind === 'MCPRegistry' && (each.namespace ?? namespace) === namespace,
    );
    return watch?.list.state === 'watching';
  }

  /** Whether all namespaces of the cluster are known, so that any other namespace does not exist. */
  get knowsNamespaces(): boolean {
    return this.watches.find(({ kind }) => kind === 'Namespace')?.list.isSynced ?? false;
  }

  /** Returns the watches that are in a state. */
  watchesIn(state: WatchState): readonly WatchName[] {
    return [...this.watches, ...this.secrets.values()].filter(({ list }) => list.state === state);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.watches, ...this.secrets.values()].map(({ list }) => list.stop()));
  }

  /**
   * Reports all registries again, because objects may have changed between the first sight of a registry and the time
   * when each watch began to report changes.
   */
  private async settle(namespace: string | undefined): Promise<void> {
    const lists = this.watches.filter((watch) => watch.namespace === namespace).map(({ list }) => list);
    await Promise.all(lists.map(({ answered }) => answered));
    const late = lists.filter(({ isSynced }) => !isSynced);
    this.renewAll(namespace, { drift: false });
    for (const { synced } of late) void synced.then(() => this.renewAll(namespace, { drift: true }));
  }

  private renewAll(namespace: string | undefined, change: { readonly drift: boolean }): void {
    for (const { ref, deleting } of this.index.all()) {
      if (!deleting && (namespace ?? ref.namespace) === ref.namespace) this.options.onChange(ref, change);
    }
  }

  /**
   * Watches the namespaces of the whole cluster, because their labels are needed whichever namespaces registries may be
   * in.
   */
  private watchNamespaces(): Watch[] {
    const { onNamespace } = this.options;
    if (!onNamespace) return [];
    const handlers = {
      metadataOnly: true,
      onPresent: (object: KubernetesObject) => onNamespace(object.metadata.name, object),
      onGone: ({ name }: ObjectRef) => onNamespace(name, undefined),
    };
    return [this.watch({ kind: 'Namespace' }, () => handlers)];
  }

  private watchScope(namespace: string | undefined): Watch[] {
    return [
      this.watch<RegistryObject>({ kind: 'MCPRegistry', ...(namespace !== undefined && { namespace }) }, () => ({
        onPresent: (object) => this.registrySeen(object),
        onGone: (ref) => this.registryGone(ref),
      })),
      ...REFERENCED.filter((kind) => kind !== 'Secret' || namespace !== undefined).map((kind) =>
        this.watchReferenced(kind, namespace),
      ),
      ...OWNED.map((kind) =>
        this.watch({ kind, ...(namespace !== undefined && { namespace }) }, (isSynced) => ({
          metadataOnly: true,
          labelSelector: MANAGED_SELECTOR,
          onPresent: (object) => this.ownedChanged(object, isSynced()),
          onGone: (ref) => this.ownedGone(ref),
        })),
      ),
      this.watch<Deployment>({ kind: 'Deployment', ...(namespace !== undefined && { namespace }) }, (isSynced) => ({
        labelSelector: MANAGED_SELECTOR,
        onPresent: (object) => this.deploymentSeen(object, isSynced()),
        onGone: (ref) => this.deploymentGone(ref),
      })),
      this.watch<Pod>({ kind: 'Pod', ...(namespace !== undefined && { namespace }) }, () => ({
        labelSelector: PODS_SELECTOR,
        onPresent: (object) => this.podsChanged(object.metadata.namespace ?? '', this.workloads.notePod(object)),
        onGone: (ref) => this.podsChanged(ref.namespace, this.workloads.forgetPod(ref)),
      })),
    ];
  }

  /**
   * Watches a kind of referenced objects, without a label selector, because users label their own objects as they like.
   */
  private watchReferenced(kind: (typeof REFERENCED)[number], namespace: string | undefined): Watch {
    return this.watch({ kind, ...(namespace !== undefined && { namespace }) }, (isSynced) => ({
      metadataOnly: true,
      onPresent: (object) => {
        if (isSynced()) this.referenceChanged(kind, object.metadata.namespace ?? '', object.metadata.name);
        this.ownedChanged(object, isSynced());
      },
      onGone: (ref) => {
        this.referenceChanged(kind, ref.namespace, ref.name);
        this.ownedGone(ref);
      },
    }));
  }

  /**
   * Watches the Secrets of a namespace while it has a registry. An operator of the whole cluster may read Secrets only
   * in these namespaces. It grants itself this right shortly after it has seen the registry, so the first attempt may
   * be rejected.
   */
  private watchSecrets(namespace: string): void {
    if (this.options.namespaces.length > 0) return;
    const watch = this.secrets.get(namespace);
    if (this.index.hasNamespace(namespace)) {
      if (watch) return;
      const started = this.watchReferenced('Secret', namespace);
      this.secrets.set(namespace, started);
      void started.list.synced.then(() => this.renewAll(namespace, { drift: false }));
    } else if (watch) {
      this.secrets.delete(namespace);
      void watch.list.stop();
    }
  }

  /** Starts a watch. Its handlers can check whether the first list is complete. */
  private watch<T extends KubernetesObject>(
    name: WatchName,
    handlers: (
      isSynced: () => boolean,
    ) => Pick<ListWatchOptions<T>, 'labelSelector' | 'metadataOnly' | 'onPresent' | 'onGone'>,
  ): Watch {
    const { api, onTrouble, pace = {} } = this.options;
    const startedAtMs = performance.now();
    // An operator that watches the whole cluster grants itself the right to Secrets shortly after it has seen a registry.
    const isExpected = (error: unknown) =>
      name.kind === 'Secret' && isRefusal(error, 'Forbidden') && performance.now() - startedAtMs < GRANT_MS;
    const list: ListWatch<T> = new ListWatch<T>({
      api,
      ...name,
      pace,
      ...handlers(() => list.isSynced),
      onTrouble: (error, object) => isExpected(error) || onTrouble(name, error, object),
    });
    return { ...name, list: list as unknown as ListWatch<never> };
  }

  private registrySeen(object: RegistryObject): void {
    const { seen, isFirst, isNews } = this.index.note(object);
    this.watchSecrets(seen.ref.namespace);
    // Changes to its objects before the operator watched are unknown, so at first sight they are checked as well.
    if (isNews) this.options.onChange(seen.ref, { drift: isFirst && !seen.deleting });
  }

  private registryGone(ref: ObjectRef): void {
    const seen = this.index.forget(ref);
    this.watchSecrets(ref.namespace);
    this.workloads.forgetRegistry(ref);
    this.owned.forgetRegistry(ref);
    // If the registry was being deleted, that was reported before. This one disappeared without notice.
    if (seen && !seen.deleting) this.options.onChange(seen.ref, { drift: false });
  }

  private referenceChanged(kind: (typeof REFERENCED)[number], namespace: string, name: string): void {
    for (const ref of this.index.referrers(namespace, `${kind}/${name}`)) this.options.onChange(ref, { drift: false });
  }

  private ownedChanged(object: KubernetesObject, isSynced: boolean): void {
    const noted = this.owned.note(object);
    if (isSynced && noted?.isTouched) this.drifted(noted.registry);
  }

  private ownedGone({ uid }: ObjectRef): void {
    const registry = this.owned.forget(uid);
    if (registry) this.drifted(registry);
  }

  private drifted(registry: RegistryRef): void {
    const seen = this.index.find(registry);
    if (seen && !seen.deleting) this.options.onChange(seen.ref, { drift: true });
  }

  private deploymentSeen(object: Deployment, isSynced: boolean): void {
    const noted = this.owned.note(object);
    if (!noted) return;
    const change = this.workloads.noteDeployment(noted.registry, object);
    if (!change) return;
    this.workloadChanged(noted.registry);
    // The status of a Deployment changes all the time, which is not drift.
    const isEdited = !isDeepStrictEqual(change.before?.metadata, change.now.metadata);
    if (isSynced && isEdited && noted.isTouched) this.drifted(noted.registry);
  }

  private deploymentGone(ref: ObjectRef): void {
    const registry = this.owned.registryOf(ref.uid);
    if (registry && this.workloads.forgetDeployment(registry, ref.uid)) this.workloadChanged(registry);
    this.ownedGone(ref);
  }

  private podsChanged(namespace: string, registries: ReadonlySet<string>): void {
    for (const name of registries) {
      const seen = this.index.findByName(namespace, name);
      if (seen) this.options.onWorkload(seen.ref);
    }
  }

  private workloadChanged(registry: RegistryRef): void {
    if (this.index.find(registry)) this.options.onWorkload(registry);
  }
}
