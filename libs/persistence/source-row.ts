import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncTrigger } from '#domain/sync.js';
import { CATALOGUE_CHANNEL } from './catalogue-channel.js';

/** Thrown for a run that can no longer publish, because a run with a higher number has opened the source. */
export class Overtaken extends RegistryError {
  constructor(
    readonly source: string,
    readonly run: number,
    readonly overtakenBy: number,
  ) {
    super('Cancelled', `run ${run} of source "${source}" was overtaken by run ${overtakenBy}, so it publishes nothing`);
  }
}

/** Identifies a source. For a sync, `run` is the number of its run, which is a fencing token. */
export interface SourceTarget {
  readonly registry: RegistryRef;
  readonly source: string;
  /** Absent if the caller is not a sync run. */
  readonly run?: number;
  /** Why the run was started. With it, the run is recorded together with what it publishes. */
  readonly trigger?: SyncTrigger;
}

/** The class of the advisory locks that serialize the writers of a source. */
const WRITERS = 0x6d6370;

/**
 * How long a run waits for an earlier one to stop by itself, in milliseconds. The earlier one has been cancelled, or is
 * about to notice that it was overtaken.
 */
const PATIENCE_MS = 5_000;
const LOOK_MS = 100;

/**
 * Locks out other writers of the source until the end of this transaction. The source's row is not locked, so an edit
 * of the plan does not have to wait for an import. The connection of an earlier run that does not stop, for example in
 * a pod that has lost its network, is terminated. Returns the id of the source. Throws `Cancelled` if the source no
 * longer exists or a later run has opened it.
 */
export async function lockSource(client: Client, target: SourceTarget): Promise<number> {
  const { id } = await findRow(client, target);
  if (target.run !== undefined) await evictEarlierRun(client, target, id);
  await client.query('SELECT pg_advisory_xact_lock($1, $2)', [WRITERS, id]);
  await findRow(client, target);
  return id;
}

/**
 * Waits until no other writer holds the lock of the source. If that takes too long, terminates the connection of the
 * writer.
 */
async function evictEarlierRun(client: Client, target: SourceTarget, id: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1, $2) AS locked', [
      WRITERS,
      id,
    ]);
    if (rows[0]?.locked) return;
    // Throws if this run itself has been overtaken.
    await findRow(client, target);
    await sleep(LOOK_MS);
  }
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_locks
      WHERE locktype = 'advisory' AND granted AND classid::bigint = $1 AND objid::bigint = $2 AND pid <> pg_backend_pid()
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [WRITERS, id],
  );
}

async function findRow(client: Client, { registry, source, run }: SourceTarget): Promise<{ readonly id: number }> {
  const { rows } = await client.query<{ id: number; fence: string }>(
    `SELECT source.id, source.fence
       FROM source JOIN registry ON registry.namespace = source.namespace AND registry.name = source.registry
      WHERE source.namespace = $1 AND source.registry = $2 AND source.name = $3 AND registry.uid = $4 AND source.left_at IS NULL`,
    [registry.namespace, registry.name, source, registry.uid],
  );
  const row = rows[0];
  if (!row) throw sourceGone(source);
  refuseOvertaken(source, run, Number(row.fence));
  return { id: row.id };
}

function sourceGone(source: string): RegistryError {
  return new RegistryError('Cancelled', `source "${source}" is no longer part of the registry`, 'stop');
}

/**
 * Locks the source's row and checks again that the source exists and that no later run has opened it. Must be the last
 * statement about the source before a commit. Throws the same errors as {@link lockSource}.
 */
export async function confirmSource(client: Client, sourceId: number, { source, run }: SourceTarget): Promise<void> {
  const { rows } = await client.query<{ fence: string }>(
    'SELECT fence FROM source WHERE id = $1 AND left_at IS NULL FOR UPDATE',
    [sourceId],
  );
  const [row] = rows;
  if (!row) throw sourceGone(source);
  refuseOvertaken(source, run, Number(row.fence));
}

function refuseOvertaken(source: string, run: number | undefined, fence: number): void {
  if (run !== undefined && run < fence) throw new Overtaken(source, run, fence);
}

/** Notifies readers when the current transaction is committed. */
export async function notifyReaders(
  client: Client,
  { namespace, name }: Pick<RegistryRef, 'namespace' | 'name'>,
): Promise<void> {
  await client.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${name}`]);
}
