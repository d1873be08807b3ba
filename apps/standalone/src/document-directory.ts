import { readSpec } from '#activities/plan.js';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { RegistryResource } from '#domain/resource-store.js';
import { toServedRegistry } from '#registry-api/served-registry.js';
import type { RegistryDirectory, ServedRegistry } from '#registry-api/served-registry.js';
import type { DocumentStore } from './documents/document-store.js';

/** Serves the registries of the manifests, the first of them also at `/`. */
export function documentDirectory(documents: DocumentStore): RegistryDirectory {
  const all = () => documents.registries().filter(({ deleting }) => !deleting);
  return {
    find(namespace, name) {
      const found = all().find(({ ref }) => ref.namespace === namespace && ref.name === name);
      return found && toServed(found);
    },
    default() {
      const first = all()[0];
      return first && toServed(first);
    },
    all: () => all().map(toServed),
  };
}

const served = new WeakMap<object, ServedRegistry>();

/**
 * Converts a resource to a served registry. An invalid spec gives access to nothing. The result is cached by the spec
 * object, which is replaced when it changes.
 */
function toServed(resource: RegistryResource): ServedRegistry {
  const { ref, spec } = resource;
  const known = served.get(spec as object);
  if (known) return known;
  const read = readSpec(resource);
  const registry = toServedRegistry(ref, 'spec' in read ? read.spec : { auth: NOBODY_IN, registries: [] });
  served.set(spec as object, registry);
  return registry;
}
