import { isDeepStrictEqual } from 'node:util';
import { REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import type { KindName } from '#kubernetes/kinds.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { controllerOf, present } from '#kubernetes/kubernetes-object.js';
import type { KubernetesObject, ObjectRef } from '#kubernetes/kubernetes-object.js';
import { ListWatch } from '#kubernetes/list-watch.js';
import type { ListWatchOptions } from '#kubernetes/list-watch.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { toWorkload } from '#kubernetes/to-workload.js';
import type { Deployment, Pod } from '#kubernetes/to-workload.js';
import type { Reference } from './referenced-objects.js';
import { heldBy, isOwnWrite, isTaken } from './own-fields.js';
import type { HeldFields } from './own-fields.js';
import { RegistryIndex } from './registry-index.js';

const OURS = 'app.kubernetes.io/managed-by=toolhive-operator';
/** By labels that no podTemplateSpec can change, as it can change that of {@link OURS}. */
const OUR_PODS = `app.kubernetes.io/component=registry-api,${REGISTRY_LABEL}`;

/** Kinds of which metadata are enough: what changed is read by whoever acts upon it. */
const REFERENCED = ['ConfigMap', 'Secret', 'PersistentVolumeClaim'] as const;
const OWNED = ['ServiceAccount', 'Role', 'RoleBinding', 'Service', 'NetworkPolicy'] as const;

interface Scope {
  readonly namespace?: string;
}

interface Owned {
  readonly registry: RegistryRef;
  readonly held: HeldFields | undefined;
}

export interface ClusterWatcherOptions {
  readonly api: KubernetesApi;
  /** None means all. */
  readonly namespaces: readonly string[];
  /** Something about the registry is to be looked at; `drift` when what was made for it may not be as it was made. */
  onChange(registry: RegistryRef, change: { readonly drift: boolean }): void;
  /** What runs for the registry is not as it was. */
  onWorkload(registry: RegistryRef): void;
  onTrouble(kind: KindName, error: unknown): void;
  readonly pace?: ListWatchOptions<KubernetesObject>['pace'];
}

/**
 * Sees everything in the cluster that concerns MCPRegistries, and says which of them are concerned; what is wanted is read
 * by those who are told. Nothing here waits for anything or fails.
 */
export class ClusterWatcher {
  readonly index = new RegistryIndex();
  /** Settles when everything that there was at the beginning has been seen. */
  readonly synced: Promise<void>;

  private isSynced = false;
  private readonly watches: ListWatch<never>[];
  /** By namespace; see {@link watchSecrets}. */
  private readonly secrets = new Map<string, ListWatch<never>>();
  /** What we made, by its uid: when it is gone, no more than that is told. */
  private readonly owned = new Map<string, Owned>();
  /** By uid of the registry. */
  private readonly deployments = new Map<string, Deployment>();
  /** By namespace and name. */
  private readonly pods = new Map<string, Pod>();

  constructor(private readonly options: ClusterWatcherOptions) {
    const { namespaces } = options;
    const scopes = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
    this.watches = scopes.flatMap((scope) => this.watch(scope));
    this.synced = Promise.all(this.watches.map(({ synced }) => synced)).then(() => void (this.isSynced = true));
  }

  /** What the cluster says of the server of a registry. */
  workloadOf({ uid, namespace, name }: RegistryRef): WorkloadFacts {
    const pods = [...this.pods.values()].filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.labels?.[REGISTRY_LABEL] === name,
    );
    return toWorkload(this.deployments.get(uid), pods);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.watches, ...this.secrets.values()].map((watch) => watch.stop()));
  }

  private listWatch<T extends KubernetesObject>(
    kind: KindName,
    options: Pick<ListWatchOptions<T>, 'namespace' | 'labelSelector' | 'metadataOnly' | 'onPresent' | 'onGone'>,
  ): ListWatch<T> {
    const { api, onTrouble, pace = {} } = this.options;
    return new ListWatch<T>({ api, kind, ...options, pace, onTrouble: (error) => onTrouble(kind, error) });
  }

  private watchReferenced(kind: (typeof REFERENCED)[number], scope: Scope): ListWatch<KubernetesObject> {
    return this.listWatch(kind, {
      ...scope,
      metadataOnly: true,
      onPresent: (object) => {
        this.referenceChanged(kind, object.metadata.namespace ?? '', object.metadata.name);
        this.ownedChanged(object);
      },
      onGone: (ref) => {
        this.referenceChanged(kind, ref.namespace, ref.name);
        this.ownedGone(ref);
      },
    });
  }

  /**
   * Watches the Secrets of a namespace while it has a registry. Where the operator watches every namespace, it has a right to
   * the Secrets of these alone, and grants it to itself a moment after the registry was seen: the first attempt may be refused.
   */
  private watchSecrets(namespace: string): void {
    if (this.options.namespaces.length > 0) return;
    const isNeeded = this.index.all().some(({ ref }) => ref.namespace === namespace);
    const watch = this.secrets.get(namespace);
    if (isNeeded && !watch)
      this.secrets.set(namespace, this.watchReferenced('Secret', { namespace }) as ListWatch<never>);
    if (isNeeded || !watch) return;
    this.secrets.delete(namespace);
    void watch.stop();
  }

  private watch(scope: Scope): ListWatch<never>[] {
    const watch = <T extends KubernetesObject>(
      kind: KindName,
      options: Pick<ListWatchOptions<T>, 'labelSelector' | 'metadataOnly' | 'onPresent' | 'onGone'>,
    ) => this.listWatch<T>(kind, { ...scope, ...options });
    const metadataOnly = true;
    const labelSelector = OURS;
    const referenced = REFERENCED.filter((kind) => kind !== 'Secret' || scope.namespace !== undefined);
    return [
      watch<RegistryObject>('MCPRegistry', {
        onPresent: (object) => this.registrySeen(object),
        onGone: (ref) => this.registryGone(ref),
      }),
      ...referenced.map((kind) => this.watchReferenced(kind, scope)),
      ...OWNED.map((kind) =>
        watch(kind, {
          metadataOnly,
          labelSelector,
          onPresent: (object) => this.ownedChanged(object),
          onGone: (ref) => this.ownedGone(ref),
        }),
      ),
      watch<Deployment>('Deployment', {
        labelSelector,
        onPresent: (object) => this.deploymentSeen(object),
        onGone: (ref) => this.deploymentGone(ref),
      }),
      watch<Pod>('Pod', {
        labelSelector: OUR_PODS,
        onPresent: (object) => this.podChanged(object.metadata, slimPod(object)),
        onGone: (ref) => this.podChanged(ref),
      }),
    ] as ListWatch<never>[];
  }

  private registrySeen(object: RegistryObject): void {
    const isFirst = this.index.find(object.metadata.uid ?? '') === undefined;
    const { seen, isNews } = this.index.note(object);
    this.watchSecrets(seen.ref.namespace);
    // What happened to its objects while nobody watched is not known: at first sight they are looked at as well.
    if (isNews) this.options.onChange(seen.ref, { drift: isFirst && !seen.deleting });
  }

  private registryGone(ref: ObjectRef): void {
    const seen = this.index.forget(ref);
    this.watchSecrets(ref.namespace);
    this.deployments.delete(ref.uid);
    for (const [uid, { registry }] of this.owned) if (registry.uid === ref.uid) this.owned.delete(uid);
    // One that was being deleted has been told of; this one went without a word.
    if (seen && !seen.deleting) this.options.onChange(seen.ref, { drift: false });
  }

  private referenceChanged(kind: (typeof REFERENCED)[number], namespace: string, name: string): void {
    const reference: Reference = `${kind}/${name}`;
    if (!this.isSynced) return;
    for (const ref of this.index.referrers(namespace, reference)) this.options.onChange(ref, { drift: false });
  }

  private ownedChanged(object: KubernetesObject): void {
    const { uid = '' } = object.metadata;
    const before = this.owned.get(uid);
    const registry = registryOf(object) ?? before?.registry;
    if (!registry) return;
    const held = heldBy(object);
    this.owned.set(uid, { registry, held });
    if (this.isSynced && (!isOwnWrite(object) || isTaken(before?.held, held))) this.drifted(registry);
  }

  private ownedGone({ uid }: ObjectRef): void {
    const registry = this.owned.get(uid)?.registry;
    this.owned.delete(uid);
    if (registry) this.drifted(registry);
  }

  private drifted(registry: RegistryRef): void {
    const seen = this.index.find(registry.uid);
    if (seen && !seen.deleting) this.options.onChange(registry, { drift: true });
  }

  private deploymentSeen(object: Deployment): void {
    const registry = registryOf(object) ?? this.owned.get(object.metadata.uid ?? '')?.registry;
    if (!registry) return;
    const before = this.deployments.get(registry.uid);
    const seen = slimDeployment(object);
    this.deployments.set(registry.uid, seen);
    this.options.onWorkload(registry);
    // Its status changes all the time; that is no drift.
    if (!isDeepStrictEqual(before?.metadata, seen.metadata)) this.ownedChanged(object);
  }

  private deploymentGone(ref: ObjectRef): void {
    const registry = this.owned.get(ref.uid)?.registry;
    if (registry && this.deployments.get(registry.uid)?.metadata.uid === ref.uid) {
      this.deployments.delete(registry.uid);
      this.options.onWorkload(registry);
    }
    this.ownedGone(ref);
  }

  private podChanged(
    { namespace = '', name }: { readonly namespace?: string; readonly name: string },
    pod?: Pod,
  ): void {
    const key = `${namespace}/${name}`;
    const registryName = (pod ?? this.pods.get(key))?.metadata.labels?.[REGISTRY_LABEL];
    if (pod) this.pods.set(key, pod);
    else this.pods.delete(key);
    const seen = registryName === undefined ? undefined : this.index.findByName(namespace, registryName);
    if (seen) this.options.onWorkload(seen.ref);
  }
}

/** Whose object it is. */
function registryOf(object: KubernetesObject): RegistryRef | undefined {
  const owner = controllerOf(object);
  if (owner?.kind !== 'MCPRegistry') return undefined;
  return { namespace: object.metadata.namespace ?? '', name: owner.name, uid: owner.uid };
}

/**
 * Without what is large and says nothing here: with its managed fields a Deployment takes ten times as much memory. What is kept
 * of the metadata is what somebody could change that is ours; of the template that is told by the generation.
 */
function slimDeployment({ apiVersion, kind, metadata, spec, status }: Deployment): Deployment {
  const { name, namespace, uid, generation, labels, annotations, ownerReferences } = metadata;
  return {
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, generation, labels, annotations, ownerReferences }),
    spec: { template: { metadata: present({ annotations: spec?.template?.metadata?.annotations }) } },
    ...(status && { status }),
  } as Deployment;
}

/** Likewise. */
function slimPod({ apiVersion, kind, metadata, status }: Pod): Pod {
  const { name, namespace, uid, labels, annotations, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, labels, annotations, deletionTimestamp }),
    ...(status && { status }),
  } as Pod;
}
