import { registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { heldBy, isOwnWrite, isTaken } from './own-fields.js';
import type { HeldFields } from './own-fields.js';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const MANAGER = 'toolhive-operator';

/** Selects the objects that the operator has created. */
export const MANAGED_SELECTOR = `${MANAGED_BY}=${MANAGER}`;

const REGISTRY_GROUP = 'toolhive.stacklok.dev/';

interface Owned {
  readonly registry: RegistryRef;
  readonly held: HeldFields | undefined;
}

/** The objects created for registries, by their uid, because the uid is all that is reported about a deleted object. */
export class OwnedObjects {
  private readonly byUid = new Map<string, Owned>();

  /**
   * Records an object. Returns the registry that the object claims as its owner, which may not exist, and whether
   * another manager has changed fields that the operator wrote. Returns undefined if the object belongs to something
   * else.
   */
  note(object: KubernetesObject): { readonly registry: RegistryRef; readonly isTouched: boolean } | undefined {
    const { uid = '', labels } = object.metadata;
    const before = this.byUid.get(uid);
    const registry =
      (before || labels?.[MANAGED_BY] === MANAGER ? claimedRegistry(object) : undefined) ?? before?.registry;
    if (!registry) return undefined;
    const held = heldBy(object);
    this.byUid.set(uid, { registry, held });
    return { registry, isTouched: !isOwnWrite(object) || isTaken(before?.held, held) };
  }

  /** Forgets an object; returns its registry. */
  forget(uid: string): RegistryRef | undefined {
    const registry = this.byUid.get(uid)?.registry;
    this.byUid.delete(uid);
    return registry;
  }

  /** Returns the registry that an object had as its owner. */
  registryOf(uid: string): RegistryRef | undefined {
    return this.byUid.get(uid)?.registry;
  }

  forgetRegistry(registry: RegistryRef): void {
    const key = registryKey(registry);
    for (const [uid, owned] of this.byUid) if (registryKey(owned.registry) === key) this.byUid.delete(uid);
  }
}

/**
 * Returns the registry in an object's controller reference. It must be in the object's own namespace, and the claim
 * counts only while a registry with this name and uid exists there.
 */
function claimedRegistry(object: KubernetesObject): RegistryRef | undefined {
  const owner = controllerOf(object);
  if (owner?.kind !== 'MCPRegistry' || !owner.apiVersion.startsWith(REGISTRY_GROUP)) return undefined;
  return { namespace: object.metadata.namespace ?? '', name: owner.name, uid: owner.uid };
}
