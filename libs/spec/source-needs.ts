import { referredKeys } from '#domain/object-field.js';
import type { ObjectKey } from '#domain/object-field.js';
import { findSource } from '#sources/index.js';
import type { SourceMount } from '#sources/source.js';
import type { RegistrySource } from './source-entry-spec.js';

type SourceBlock = Pick<RegistrySource, 'type' | 'spec'>;

/** Returns the volume that the source reads, if any. */
export function mountOf({ type, spec }: SourceBlock): SourceMount | undefined {
  return findSource(type)?.mount?.(spec);
}

/** Returns the Secrets and certificates that the source reads. */
export function objectsOf({ type, spec }: SourceBlock): ObjectKey[] {
  return referredKeys(findSource(type)?.objects ?? [], spec);
}

/** Returns the ConfigMaps and Secrets that the source reads. A change of one of them makes the source due. */
export function watchedObjects(source: SourceBlock): (Omit<ObjectKey, 'key'> & Partial<ObjectKey>)[] {
  const mount = mountOf(source);
  const objects = objectsOf(source);
  return mount && 'configMap' in mount ? [{ kind: 'ConfigMap', ...mount.configMap }, ...objects] : objects;
}
