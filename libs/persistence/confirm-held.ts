import type { RegistryRef } from '#domain/registry-ref.js';
import type { Queryable } from './page.js';

/** Consents to what the shrink guard holds back of a source, or of all sources of the registry. Idempotent. */
export async function confirmHeld(
  database: Queryable,
  { namespace, name }: Pick<RegistryRef, 'namespace' | 'name'>,
  source: string | undefined,
): Promise<void> {
  await database.query(
    `UPDATE source SET confirmed_revision = held_revision
      WHERE namespace = $1 AND registry = $2 AND ($3::text IS NULL OR name = $3)
        AND held_revision IS NOT NULL AND confirmed_revision IS DISTINCT FROM held_revision`,
    [namespace, name, source ?? null],
  );
}
