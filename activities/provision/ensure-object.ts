import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { KindName } from '#kubernetes/kinds.js';
import { isRefusal } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { measured } from './measured.js';
import type { ProvisionWorld } from './provision-world.js';

export interface Wanted extends Pick<ProvisionWorld, 'api' | 'reconciled'> {
  readonly registry: RegistryRef;
  /** What it is called when this object cannot be as it should. */
  readonly reason: Reason;
}

/** Most attempts to write an object. One that conflicts each time is being replaced by another client, which is reported. */
const LOOKS = 3;

/**
 * Makes one object of a registry as it should be: creates it, or repairs the fields that are ours; nothing is written when
 * they are so already. What stands there and does not belong to the registry is left alone and named.
 */
export async function ensureObject<T extends KubernetesObject>(object: T, wanted: Wanted): Promise<T> {
  return measured(wanted.reconciled, object.kind as KindName, () =>
    asReason(wanted.reason, async () => {
      for (let looks = 1; ; looks++) {
        const live = await findOwned(object, wanted);
        // With its uid, the write fails if the object went, or another one has taken the name since.
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

/** Removes an object that the registry has and no longer needs; one of another owner is left alone. Idempotent. */
export async function removeOwned(
  kind: KindName,
  objectName: string,
  { api, registry, reason }: Pick<Wanted, 'api' | 'registry' | 'reason'>,
): Promise<void> {
  const { namespace } = registry;
  await asReason(reason, async () => {
    const object = await api.get(kind, namespace, objectName);
    if (object?.metadata.uid === undefined || controllerOf(object)?.uid !== registry.uid) return;
    const { uid } = object.metadata;
    await api.delete(kind, { namespace, name: objectName, uid });
  });
}

/** The object as it stands there, if it does and belongs to the registry. */
export async function findOwned<T extends KubernetesObject>(
  { kind, metadata: { name, namespace = '' } }: T,
  { api, registry, reason }: Wanted,
): Promise<T | undefined> {
  const live = await asReason(reason, () => api.get<T>(kind as KindName, namespace, name));
  if (live && controllerOf(live)?.uid !== registry.uid) throw collision(reason, live, registry);
  return live;
}

/** What the API server refuses is told in its own words, under the reason of the step that needed it. */
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
    const message = `${object} still belongs to an earlier MCPRegistry of this name; it is created again when that one is gone`;
    return new RegistryError(reason, message, 'retry');
  }
  const belongs = owner ? `belongs to ${owner.kind} ${owner.name}` : 'belongs to nobody that this operator knows';
  const message = `${object} exists already and ${belongs}: remove it, or rename the MCPRegistry`;
  return new RegistryError(reason, message, 'wait', { notice: 'NameCollision' });
}
