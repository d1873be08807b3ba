import { hash } from 'node:crypto';
import { FIELD_MANAGER } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

/** The fields of an object that the operator owns, according to its managedFields. */
export interface HeldFields {
  /** Time of the operator's last write. */
  readonly time: string;
  readonly digest: string;
}

/** Returns the fields that the operator owns; undefined when there are none. */
export function heldBy(object: KubernetesObject): HeldFields | undefined {
  const ours = writesOf(object).find(({ manager }) => manager === FIELD_MANAGER);
  return ours && { time: ours.time ?? '', digest: hash('sha256', JSON.stringify(ours.fieldsV1 ?? {})) };
}

/** Returns whether another manager took over or removed fields of the operator. A removal leaves no other trace. */
export function isTaken(before: HeldFields | undefined, now: HeldFields | undefined): boolean {
  if (!before) return false;
  return !now || (now.time === before.time && now.digest !== before.digest);
}

/**
 * Returns whether the operator was the last to write, so that nothing needs repair. Writes of the status do not count.
 */
export function isOwnWrite(object: KubernetesObject): boolean {
  const writes = writesOf(object);
  const last = writes
    .map(({ time = '' }) => time)
    .sort()
    .at(-1);
  return writes.every(({ manager, time }) => manager === FIELD_MANAGER || time !== last);
}

function writesOf({ metadata }: KubernetesObject) {
  return (metadata.managedFields ?? []).filter(({ subresource }) => !subresource);
}
