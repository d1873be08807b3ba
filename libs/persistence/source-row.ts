import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { CATALOGUE_CHANNEL } from './catalogue-channel.js';

/**
 * Takes the source's row for this transaction: two syncs of one source never write at the same time. Returns its id;
 * throws `Cancelled` for a source that is gone, which must not be written at all.
 */
export async function lockSource(client: Client, registry: RegistryRef, source: string): Promise<number> {
  const { rows } = await client.query<{ id: number }>(
    `SELECT source.id FROM source JOIN registry ON registry.namespace = source.namespace AND registry.name = source.registry
      WHERE source.namespace = $1 AND source.registry = $2 AND source.name = $3 AND registry.uid = $4 AND source.left_at IS NULL
        FOR UPDATE OF source`,
    [registry.namespace, registry.name, source, registry.uid],
  );
  const row = rows[0];
  if (!row) throw new RegistryError('Cancelled', `source "${source}" is no longer part of the registry`, 'stop');
  return row.id;
}

/** Part of the transaction: readers hear of it when it is committed. */
export async function notifyReaders(
  client: Client,
  { namespace, name }: Pick<RegistryRef, 'namespace' | 'name'>,
): Promise<void> {
  await client.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${name}`]);
}
