import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { openBenchStore } from './bench-store.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';
import { postgresCpuSeconds } from './postgres-cpu.js';
import { editEveryHundredth, publish } from './reads.bench.js';
import { Connection } from './reads/load.js';
import { ServerProcess } from './reads/server-process.js';

const REGISTRY = 'many';
const NAMES = 5_000;
const DEFAULT_COUNT = '20';
const STEPS = [1, 5];
const PUBLISHES = 5;

/**
 * Measures what each additional reading replica costs the others: connections, memory, and CPU time of Postgres at a
 * publication.
 */
export const readersBench: Bench = {
  name: 'readers',

  /** `count`: maximum number of readers. Default: 20. */
  async run(count = DEFAULT_COUNT) {
    await using store = await openBenchStore();
    const file = join(store.directory, 'catalogue.json');
    await generateCatalogue(file, { names: NAMES });
    await publish(store, REGISTRY, file);
    await using stack = new AsyncDisposableStack();
    const { app } = store.database;
    const readers: ServerProcess[] = [];
    const rows: (string | number)[][] = [];
    for (const step of [...STEPS, Number(count)]) {
      while (readers.length < step) {
        const place = { namespace: 'bench', registry: REGISTRY };
        readers.push(stack.use(await ServerProcess.start({ kind: 'api', database: app, ...place })));
      }
      const connections = await countConnections(app);
      const before = (await postgresCpuSeconds(store.dataDirectory)) ?? Number.NaN;
      const visible: number[] = [];
      for (let publishes = 0; publishes < PUBLISHES; publishes++) visible.push(await publishToAll(app, readers));
      await sleep(500);
      const cpuMs = (((await postgresCpuSeconds(store.dataDirectory)) ?? Number.NaN) - before) * 1000;
      const usages = await Promise.all(readers.map((reader) => reader.usage()));
      const rss = usages.map(({ rssMegabytes }) => rssMegabytes).toSorted((a, b) => a - b);
      rows.push([
        step,
        connections,
        rss[Math.floor(rss.length / 2)] ?? '–',
        Math.round(cpuMs / PUBLISHES),
        Math.round(visible.toSorted((a, b) => a - b)[Math.floor(PUBLISHES / 2)] ?? Number.NaN),
      ]);
    }
    return [
      {
        title: `Readers of one database with ${NAMES} names, at a publish of 1 %; medians of ${PUBLISHES}`,
        head: ['readers', 'their connections', 'RSS of one, MB', 'Postgres CPU ms a publish', 'visible in all, ms'],
        rows,
      },
    ];
  },
};

async function countConnections(database: DatabaseAccess): Promise<number> {
  return withClient(database, async (client) => {
    const sql = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'mcp-registry-%'";
    const { rows } = await client.query<{ n: number }>(sql);
    return rows[0]?.n ?? 0;
  });
}

/** Returns the time from the commit until every reader serves the change. */
async function publishToAll(database: DatabaseAccess, readers: readonly ServerProcess[]): Promise<number> {
  const watchers = await Promise.all(readers.map(({ started }) => Connection.open(started.port)));
  const tagOf = async (watcher: Connection) => (await watcher.fetch('/v0.1/servers?limit=1')).headers['etag'];
  const before = await Promise.all(watchers.map(tagOf));
  await editEveryHundredth(database, REGISTRY);
  const committedAt = performance.now();
  await Promise.all(
    watchers.map(async (watcher, index) => {
      while ((await tagOf(watcher)) === before[index]) await sleep(5);
      watcher.close();
    }),
  );
  return performance.now() - committedAt;
}
