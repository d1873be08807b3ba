import { readSpec } from '#activities/plan.js';
import type { RegistryResource } from '#domain/resource-store.js';
import { findSource } from '#sources/index.js';

/**
 * Returns the names of the sources whose content changes in the manifests or through the API. Content elsewhere is not
 * watched.
 */
export function watchedSources(resource: Pick<RegistryResource, 'ref' | 'spec'>): ReadonlySet<string> {
  const read = readSpec(resource);
  const sources = 'spec' in read ? read.spec.registries : [];
  return new Set(sources.filter(({ type }) => isWatched(type)).map(({ name }) => name));
}

function isWatched(type: string): boolean {
  const { changedBy } = findSource(type) ?? {};
  return changedBy === 'manifests' || changedBy === 'publications';
}
