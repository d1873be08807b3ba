import { deploymentName, REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import { displayRef, registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { WorkloadFacts } from '#domain/workload.js';
import { present } from '#kubernetes/kubernetes-object.js';
import { toReaderFacts, toWorkload } from '#kubernetes/to-workload.js';
import type { Deployment, Pod } from '#kubernetes/to-workload.js';

const ROLES = ['server', 'reader'] as const;

/** The Deployments and pods of registries, as far as they say how the servers are. */
export class WorkloadIndex {
  /** By the key of the registry that controls it: that of its server, and that of its read-only servers. */
  private readonly deployments = { server: new Map<string, Deployment>(), reader: new Map<string, Deployment>() };
  /** By `namespace/name` of the registry that their label names, then by name. */
  private readonly pods = new Map<string, Map<string, Pod>>();
  /** The label of each pod that was seen, by `namespace/name`: a deletion does not tell it. */
  private readonly registryOfPod = new Map<string, string>();

  /** Returns what the cluster says of the server of a registry. */
  workloadOf(registry: RegistryRef): WorkloadFacts {
    const pods = this.pods.get(displayRef(registry))?.values() ?? [];
    const key = registryKey(registry);
    const readers = this.deployments.reader.get(key);
    return {
      ...toWorkload(this.deployments.server.get(key), [...pods]),
      ...(readers && { readers: toReaderFacts(readers) }),
    };
  }

  /** Takes note of a Deployment; returns what was known of it, or undefined when it is not one of the registry's own. */
  noteDeployment(registry: RegistryRef, object: Deployment): { before?: Deployment; now: Deployment } | undefined {
    const role = ROLES.find((each) => object.metadata.name === deploymentName(registry.name, each));
    if (!role) return undefined;
    const known = this.deployments[role];
    const before = known.get(registryKey(registry));
    const now = slimDeployment(object);
    known.set(registryKey(registry), now);
    return { ...(before && { before }), now };
  }

  /** Forgets the Deployment of a registry, if it has this uid; returns whether it did. */
  forgetDeployment(registry: RegistryRef, uid: string): boolean {
    const key = registryKey(registry);
    const role = ROLES.find((each) => this.deployments[each].get(key)?.metadata.uid === uid);
    return role !== undefined && this.deployments[role].delete(key);
  }

  forgetRegistry(registry: RegistryRef): void {
    for (const role of ROLES) this.deployments[role].delete(registryKey(registry));
  }

  /** Takes note of a pod; returns the names of the registries whose workload may have changed. */
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
 * Drops what is large and says nothing here: with its managed fields a Deployment takes ten times as much memory. What stays of
 * the metadata is what others could change; a change of the template shows in the generation.
 */
function slimDeployment({ apiVersion, kind, metadata, spec, status }: Deployment): Deployment {
  const { name, namespace, uid, generation, labels, annotations, ownerReferences } = metadata;
  return {
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, generation, labels, annotations, ownerReferences }),
    spec: {
      ...(spec?.selector && { selector: spec.selector }),
      template: { metadata: present({ annotations: spec?.template?.metadata?.annotations }) },
    },
    ...(status && { status }),
  } as Deployment;
}

/** Drops what is large and says nothing here. */
function slimPod({ apiVersion, kind, metadata, status }: Pod): Pod {
  const { name, namespace, uid, labels, annotations, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: present({ name, namespace, uid, labels, annotations, deletionTimestamp }),
    ...(status && { status }),
  } as Pod;
}
