import { hash } from 'node:crypto';
import { deploymentName, REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import { displayRef, registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import { present } from '#kubernetes/kubernetes-object.js';
import { POD_HASH_ANNOTATION, toReaderFacts, toWorkload } from '#kubernetes/to-workload.js';
import type { Deployment, Pod } from '#kubernetes/to-workload.js';

const ROLES = ['server', 'reader'] as const;

/** The Deployments and pods of registries, reduced to what shows the state of the servers. */
export class WorkloadIndex {
  /** The Deployments of the servers and of the read-only servers, by the key of the registry that controls them. */
  private readonly deployments = { server: new Map<string, Deployment>(), reader: new Map<string, Deployment>() };
  /** The pods by `namespace/name` of the registry in their label, then by name. */
  private readonly pods = new Map<string, Map<string, Pod>>();
  /** The registry label of each pod, by `namespace/name` of the pod, because a deletion does not report it. */
  private readonly registryOfPod = new Map<string, string>();

  /** Returns the observed state of a registry's server. */
  workloadOf(registry: RegistryRef): WorkloadFacts {
    const pods = this.pods.get(displayRef(registry))?.values() ?? [];
    const key = registryKey(registry);
    const readers = this.deployments.reader.get(key);
    return {
      ...toWorkload(this.deployments.server.get(key), [...pods]),
      ...(readers && { readers: toReaderFacts(readers) }),
    };
  }

  /**
   * Records a Deployment; returns its previous and its current state, or undefined if it is not one of the registry's
   * own.
   */
  noteDeployment(registry: RegistryRef, object: Deployment): { before?: Deployment; now: Deployment } | undefined {
    const role = ROLES.find((each) => object.metadata.name === deploymentName(registry.name, each));
    if (!role) return undefined;
    const known = this.deployments[role];
    const before = known.get(registryKey(registry));
    const now = slimDeployment(object);
    known.set(registryKey(registry), now);
    return { ...(before && { before }), now };
  }

  /** Forgets the Deployment of a registry if it has this uid; returns whether it did. */
  forgetDeployment(registry: RegistryRef, uid: string): boolean {
    const key = registryKey(registry);
    const role = ROLES.find((each) => this.deployments[each].get(key)?.metadata.uid === uid);
    return role !== undefined && this.deployments[role].delete(key);
  }

  forgetRegistry(registry: RegistryRef): void {
    for (const role of ROLES) this.deployments[role].delete(registryKey(registry));
  }

  /** Records a pod; returns the names of the registries whose workload may have changed. */
  notePod(object: Pod): ReadonlySet<string> {
    const { namespace = '', name, labels } = object.metadata;
    const concerned = this.forgetPod({ namespace, name });
    const registry = labels?.[REGISTRY_LABEL];
    if (registry === undefined) return concerned;
    const key = displayRef({ namespace, name: registry });
    const pods = this.pods.get(key) ?? new Map<string, Pod>();
    this.pods.set(key, pods.set(name, slimPod(object)));
    this.registryOfPod.set(displayRef({ namespace, name }), registry);
    return new Set([...concerned, registry]);
  }

  /** Forgets a pod; returns the names of the registries whose workload may have changed. */
  forgetPod(pod: Pick<RegistryRef, 'namespace' | 'name'>): ReadonlySet<string> {
    const registry = this.registryOfPod.get(displayRef(pod));
    if (registry === undefined) return new Set();
    this.registryOfPod.delete(displayRef(pod));
    const key = displayRef({ namespace: pod.namespace, name: registry });
    const pods = this.pods.get(key);
    pods?.delete(pod.name);
    if (pods?.size === 0) this.pods.delete(key);
    return new Set([registry]);
  }
}

/**
 * Drops large fields that are not used here: with its managed fields, a Deployment takes ten times as much memory. The
 * metadata that others could change is kept as a digest. A change of the template shows in the generation.
 */
function slimDeployment({ apiVersion, kind, metadata, spec, status }: Deployment): Deployment {
  const { name, namespace, uid, generation, labels, annotations, ownerReferences } = metadata;
  const edited = hash('sha256', JSON.stringify([labels, annotations, ownerReferences]));
  return {
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, generation, annotations: { [METADATA_DIGEST]: edited } }),
    spec: {
      ...(spec?.selector && { selector: spec.selector }),
      template: { metadata: { annotations: podHashOf(spec?.template?.metadata?.annotations) } },
    },
    ...(status && { status }),
  } as Deployment;
}

/** Drops large fields that are not used here. */
function slimPod({ apiVersion, kind, metadata, status }: Pod): Pod {
  const { name, namespace, uid, annotations, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, annotations: podHashOf(annotations), deletionTimestamp }),
    ...(status && { status }),
  } as Pod;
}

/** Key of the digest that replaces labels, annotations and owners. */
const METADATA_DIGEST = 'digest';

/** Returns the only annotation that is used here, because users may add 256 KiB of others. */
function podHashOf(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const podHash = annotations?.[POD_HASH_ANNOTATION];
  return podHash === undefined ? {} : { [POD_HASH_ANNOTATION]: podHash };
}
