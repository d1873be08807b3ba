import type { RegistryRef } from '#domain/registry-ref.js';
import type { Queryable } from './page.js';

/**
 * Confirms the revision that the shrink guard has blocked, for one source or for all sources of the registry.
 * Idempotent.
 */
export async function confirmHeld(
  database: Queryable,
  { namespace, name }: Pick<RegistryRef, 'namespace' | 'name'>,
  source: string | undefined,
): Promise<void> {
  await database.query(
    `UPDATE source SET held_confirmed = true
      WHERE namespace = $1 AND registry = $2 AND ($3::text IS NULL OR name = $3)
        AND held_revision IS NOT NULL AND NOT held_confirmed`,
    [namespace, name, source ?? null],
  );
}
