import type { Queryable, RegistryPlace } from './page.js';

export interface RegistryRecord {
  readonly name: string;
  readonly displayName: string | null;
  /** Names of the sources, in the order of the spec. */
  readonly sources: readonly string[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Returns a registry, or undefined until its first plan has been adopted. */
export async function findRegistry(
  db: Queryable,
  { namespace, registry }: RegistryPlace,
): Promise<RegistryRecord | undefined> {
  const { rows } = await db.query<RegistryRecord>(
    `SELECT registry.name, registry.display_name AS "displayName",
            ARRAY(SELECT source.name FROM source
                   WHERE source.namespace = registry.namespace AND source.registry = registry.name AND source.left_at IS NULL
                   ORDER BY source.position, source.name) AS sources,
            registry.created_at AS "createdAt", registry.updated_at AS "updatedAt"
       FROM registry WHERE registry.namespace = $1 AND registry.name = $2`,
    [namespace, registry],
  );
  return rows[0];
}
