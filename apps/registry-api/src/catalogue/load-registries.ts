import type { ClientBase } from 'pg';
import { CatalogueSnapshot } from './catalogue-snapshot.js';
import type { RegistrySnapshot, RegistrySnapshots, SourceSnapshot } from './live-catalogue.js';
import { mergeSources } from './merge-sources.js';
import type { StoredEntry } from './prepared-entry.js';
import { SourceBuilder } from './prepared-source.js';
import type { PreparedSource } from './prepared-source.js';

/** Rows per query; between two of them the event loop serves requests. */
const BATCH_ROWS = 250;

interface SourceRow {
  readonly id: number;
  readonly name: string;
  readonly identity: string;
  readonly attempted: boolean;
}

/**
 * Reads all registries of the database as they were at one moment. Sources that `previous` holds in the same state are
 * taken from there, so that a change costs what changed.
 */
export async function loadRegistries(client: ClientBase, previous: RegistrySnapshots): Promise<RegistrySnapshots> {
  const known = new Map(
    Array.from(previous.values()).flatMap(({ sources }) => sources.map((source) => [source.identity, source])),
  );
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    const snapshots = new Map<string, RegistrySnapshot>();
    for (const [registry, rows] of await readSources(client)) {
      const sources: SourceSnapshot[] = [];
      for (const row of rows) sources.push(await takeSource(client, row, known.get(row.identity)));
      snapshots.set(registry, toRegistrySnapshot(sources, previous.get(registry)));
    }
    return snapshots;
  } finally {
    await client.query('COMMIT').catch(() => undefined);
  }
}

async function readSources(client: ClientBase): Promise<Map<string, SourceRow[]>> {
  const { rows } = await client.query<SourceRow & { registry: string }>(`
    SELECT registry.namespace || '/' || registry.name AS registry, source.id, source.name,
           store.id || '/' || source.id || '/' || source.generation AS identity,
           source.synced_at IS NOT NULL
             OR EXISTS (SELECT FROM sync_run WHERE sync_run.source_id = source.id) AS attempted
      FROM store CROSS JOIN registry
      LEFT JOIN source ON source.namespace = registry.namespace AND source.registry = registry.name
     ORDER BY registry.namespace, registry.name, source.position, source.name`);
  const registries = Map.groupBy(rows, ({ registry }) => registry);
  // A registry without sources is one row without a source.
  return new Map(Array.from(registries, ([registry, sources]) => [registry, sources.filter(({ id }) => id !== null)]));
}

async function takeSource(client: ClientBase, row: SourceRow, known?: SourceSnapshot): Promise<SourceSnapshot> {
  const { name, identity, attempted } = row;
  if (known) return { ...known, name, attempted };
  const prepared = await prepareSource(client, row.id);
  return { name, identity, attempted, prepared, reader: new CatalogueSnapshot(prepared) };
}

/**
 * Everything but what the filter leaves out: for a client that does not exist. One cursor, so that the order is made
 * once, whatever the planner knows of a table that has just been filled.
 */
async function prepareSource(client: ClientBase, sourceId: number): Promise<PreparedSource> {
  const builder = new SourceBuilder();
  // A cursor takes no parameters; the id comes from an integer column.
  await client.query(`
    DECLARE source_entries NO SCROLL CURSOR FOR
     SELECT name, version, server_json AS "serverJson", title, description, status,
            (extract(epoch FROM published_at) * 1000)::float8 AS "publishedAtMs",
            (extract(epoch FROM updated_at) * 1000)::float8 AS "updatedAtMs",
            (extract(epoch FROM status_changed_at) * 1000)::float8 AS "statusChangedAtMs",
            (extract(epoch FROM deleted_at) * 1000)::float8 AS "deletedAtMs"
       FROM entry
      WHERE source_id = ${sourceId} AND hidden_by IS NULL
      ORDER BY name, version`);
  let rows: StoredEntry[];
  do {
    ({ rows } = await client.query<StoredEntry>(`FETCH ${BATCH_ROWS} FROM source_entries`));
    builder.add(rows);
  } while (rows.length === BATCH_ROWS);
  await client.query('CLOSE source_entries');
  return builder.finish();
}

function toRegistrySnapshot(sources: readonly SourceSnapshot[], previous?: RegistrySnapshot): RegistrySnapshot {
  const [only] = sources;
  if (only && sources.length === 1) return { sources, aggregate: only.reader };
  const unchanged =
    previous?.sources.length === sources.length &&
    sources.every(({ prepared }, index) => previous.sources[index]?.prepared === prepared);
  const aggregate = unchanged
    ? previous.aggregate
    : new CatalogueSnapshot(mergeSources(sources.map(({ prepared }) => prepared)));
  return { sources, aggregate };
}
