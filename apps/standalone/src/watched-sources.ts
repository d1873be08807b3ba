import { readSpec } from '#activities/plan.js';
import type { RegistryResource } from '#domain/resource-store.js';
import { configMapSource } from '#sources/config-map.source.js';
import { managedSource } from '#sources/managed.source.js';

const WATCHED: ReadonlySet<string> = new Set([configMapSource.block, managedSource.block]);

/** Returns the names of the sources whose content changes here, in the manifests or over HTTP; content elsewhere is not watched. */
export function watchedSources(resource: Pick<RegistryResource, 'ref' | 'spec'>): ReadonlySet<string> {
  const read = readSpec(resource);
  const sources = 'spec' in read ? read.spec.registries : [];
  return new Set(sources.filter(({ type }) => WATCHED.has(type)).map(({ name }) => name));
}
