import { findRegistry } from '#persistence/read-registry.js';
import type { RegistryRecord } from '#persistence/read-registry.js';
import type { CatalogueScope } from '../../catalogue/catalogue.js';
import type { ServedRegistry } from '../../served-registry.js';
import type { ViewDatabase } from '#persistence/view-database.js';
import { Problem } from '../problem.js';

/**
 * Returns the registry with this name: a view of the configuration, or the whole registry under its own name. Throws a
 * 404.
 */
export async function getNamedRegistry(
  database: ViewDatabase,
  scope: CatalogueScope,
  served: ServedRegistry,
  name: string,
): Promise<RegistryRecord> {
  const whole = await findRegistry(database, scope);
  // The whole registry can be found by its own name, as in the API for servers.
  const registry = whole && [...listRegistries(whole, served), whole].find((each) => each.name === name);
  if (!registry) throw new Problem(404, `no registry is called "${name}"`);
  return registry;
}

export function listRegistries(whole: RegistryRecord, { views }: ServedRegistry): readonly RegistryRecord[] {
  if (!views) return [whole];
  return views.map(({ name, sources }) => ({ ...whole, name, displayName: null, sources }));
}
