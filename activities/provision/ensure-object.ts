import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { KindName } from '#kubernetes/kinds.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import { KIND_UNKNOWN, KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { measured } from './measured.js';
import type { ProvisionWorld } from './provision-world.js';

export interface Wanted extends Pick<ProvisionWorld, 'api' | 'reconciled'> {
  readonly registry: RegistryRef;
  /** The reason of the error when this object cannot be created or repaired. */
  readonly reason: Reason;
}

/**
 * Maximum attempts to write an object. If every attempt conflicts, another client keeps replacing the object, which is
 * reported.
 */
const LOOKS = 3;

/**
 * Ensures one object of a registry: creates it, or repairs the fields that are ours. Nothing is written if they are up
 * to date. An existing object that does not belong to the registry is left alone and reported.
 */
export async function ensureObject<T extends KubernetesObject>(object: T, wanted: Wanted): Promise<T> {
  return measured(wanted.reconciled, object.kind as KindName, () =>
    asReason(wanted.reason, async () => {
      for (let looks = 1; ; looks++) {
        const live = await findOwned(object, wanted);
        // The uid makes the write fail if the object was deleted or replaced in the meantime.
        const uid = live?.metadata.uid;
        try {
          return await wanted.api.apply({
            ...object,
            metadata: { ...object.metadata, ...(uid !== undefined && { uid }) },
          });
        } catch (error) {
          if (looks === LOOKS || !isRefusal(error, 'Conflict')) throw error;
        }
      }
    }),
  );
}

/**
 * Removes an object of the registry that is no longer needed. Ignores an object of another owner and a kind that the
 * cluster does not know. Idempotent.
 */
export async function removeOwned(
  kind: KindName,
  objectName: string,
  { api, registry, reason }: Pick<Wanted, 'api' | 'registry' | 'reason'>,
): Promise<void> {
  const { namespace } = registry;
  await asReason(reason, async () => {
    const object = await api.get(kind, namespace, objectName).catch((error: unknown) => {
      if (!isRefusal(error, KIND_UNKNOWN)) throw error;
    });
    if (!object?.metadata.uid || controllerOf(object)?.uid !== registry.uid) return;
    const { uid } = object.metadata;
    await api.delete(kind, { namespace, name: objectName, uid });
  });
}

/** Returns the live object if it exists and belongs to the registry. */
export async function findOwned<T extends KubernetesObject>(
  { kind, metadata: { name, namespace = '' } }: T,
  { api, registry, reason }: Wanted,
): Promise<T | undefined> {
  const live = await asReason(reason, () => api.get<T>(kind as KindName, namespace, name));
  if (live && controllerOf(live)?.uid !== registry.uid) throw collision(reason, live, registry);
  return live;
}

/** Reports a refusal by the API server with its original message, under the reason of the step that failed. */
export async function asReason<T>(reason: Reason, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KubernetesRefusal)) throw error;
    throw new RegistryError(reason, error.message, error.destiny, { cause: error });
  }
}

function collision(reason: Reason, live: KubernetesObject, { name, uid }: RegistryRef): RegistryError {
  const { kind, metadata } = live;
  const object = `${kind} ${metadata.namespace}/${metadata.name}`;
  const owner = controllerOf(live);
  if (owner?.kind === 'MCPRegistry' && owner.name === name && owner.uid !== uid) {
    const message = `${object} still belongs to a deleted MCPRegistry of the same name; it is created again once Kubernetes has removed it`;
    return new RegistryError(reason, message, 'retry');
  }
  const belongs = owner
    ? `belongs to ${owner.kind} ${owner.name}`
    : 'does not belong to an owner that this operator knows';
  const message = `${object} exists already and ${belongs}: remove it, or rename the MCPRegistry`;
  return new RegistryError(reason, message, 'wait', { notice: 'NameCollision' });
}
