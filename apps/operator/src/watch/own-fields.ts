import { hash } from 'node:crypto';
import { FIELD_MANAGER } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

/** Which fields of an object are ours, as the API server keeps account of them. */
export interface HeldFields {
  /** Of our last write. */
  readonly time: string;
  readonly digest: string;
}

/** Undefined when none is. */
export function heldBy(object: KubernetesObject): HeldFields | undefined {
  const ours = writesOf(object).find(({ manager }) => manager === FIELD_MANAGER);
  return ours && { time: ours.time ?? '', digest: hash('sha256', JSON.stringify(ours.fieldsV1 ?? {})) };
}

/** Fewer are ours, and that was not our write. Whoever removes a field leaves no other trace. */
export function isTaken(before: HeldFields | undefined, now: HeldFields | undefined): boolean {
  if (!before) return false;
  return !now || (now.time === before.time && now.digest !== before.digest);
}

/** The write that was last is our own: it needs no repair. Status is written by others and is not meant. */
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
