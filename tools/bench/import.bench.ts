import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { BenchTable } from './bench-table.js';
import { openBenchStore } from './bench-store.js';
import type { BenchStore } from './bench-store.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';
import { LoopWatch, showBlock } from './loop-watch.js';
import { postgresCpuSeconds } from './postgres-cpu.js';
import { secondsToParse } from './yardstick.js';

const NAMES = 50_000;
const EDIT_EVERY = 100;
const POLL_MS = 10;
const registry = { namespace: 'bench', name: 'import', uid: '00000000-0000-4000-8000-000000000001' };

/**
 * From a file on disk to committed rows, and on to answers that have them, in one process that imports and serves: the
 * first time, unchanged, with the same entries in another file, and with 1 % of them edited.
 */
export const importBench: Bench = {
  name: 'import',

  async run() {
    await using store = await openBenchStore();
    await store.catalogue.adoptPlan(registry, null, [
      { name: 's', type: 'git', address: '', format: 'upstream', specHash: 'a', filterHash: 'b' },
    ]);
    const [first, edited] = [join(store.directory, 'first.json'), join(store.directory, 'edited.json')];
    const entries = await generateCatalogue(first, { names: NAMES });
    await generateCatalogue(edited, { names: NAMES, editEvery: EDIT_EVERY });
    const megabytes = Math.round((await stat(first)).size / 1e5) / 10;
    const parseSeconds = (await secondsToParse(first)).toFixed(2);

    await using imports = await startImporting(store);
    const fresh = await imports.step('first import', first);
    const rows = [
      fresh.row,
      (await imports.step('unchanged file', first, fresh.contentHash)).row,
      (await imports.step('unchanged entries, other file hash', first)).row,
      (await imports.step('1 % edited', edited)).row,
    ];
    const title = `Import of ${entries} entries, ${megabytes} MB, which JSON.parse alone takes ${parseSeconds} s for here`;
    return [{ title, head: HEAD, rows }];
  },
};

const HEAD = [
  'step',
  's to committed',
  'entries/s',
  's to served',
  'rows written',
  'CPU s',
  'CPU s of Postgres',
  'longest block / work ms',
  'while loading',
  'peak RSS MB',
];

interface Importing extends AsyncDisposable {
  step(label: string, file: string, storedContentHash?: string): Promise<Step>;
}

interface Step {
  readonly contentHash: string;
  readonly row: BenchTable['rows'][number];
}

/** The API of a registry and the threads that import into it, as they run in one process of the product. */
async function startImporting({ database, dataDirectory }: BenchStore): Promise<Importing> {
  await using starting = new AsyncDisposableStack();
  const api = await startRegistryApi({
    database: database.app,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: onlyRegistry({ ...registry, sources: [], auth: { mode: 'anonymous' } }),
    references: { secretKey: nothing, configMapKey: nothing },
    syncNow: nothing,
    version: { version: '0', commit: '', buildDate: '' },
    logger: pino({ level: 'silent' }),
  });
  starting.defer(() => api.close());
  const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });
  threads.warmUp();
  const list = `${api.url}/registry/${registry.name}/v0.1/servers?limit=1`;
  // Until both are up: a process that has just started is measured by other benches.
  await until(async () => (await etagOf(list)) !== undefined);
  await delay(2_000);

  const step = async (label: string, file: string, storedContentHash?: string): Promise<Step> => {
    const [served, written] = [await etagOf(list), await rowsWritten(database.migrator)];
    const [cpu, postgresCpu] = [process.cpuUsage(), await postgresCpuSeconds(dataDirectory)];
    const watch = new LoopWatch();
    watch.start();
    const startedAt = performance.now();
    const { contentHash, counts } = await threads.run(
      {
        kind: 'import',
        file,
        label,
        format: 'upstream',
        filter: {},
        maxFileBytes: 1e9,
        readAlike: true,
        database: database.app,
        target: { registry, source: 's', revision: label, specHash: 'a', filterHash: 'b' },
        ...(storedContentHash === undefined ? {} : { storedContentHash }),
      },
      { signal: new AbortController().signal, progress: () => undefined },
    );
    const committedMs = performance.now() - startedAt;
    const importBlock = watch.stop();
    watch.start();
    const isVisible = counts !== undefined && counts.added + counts.updated + counts.removed > 0;
    if (isVisible) await until(async () => (await etagOf(list)) !== served);
    const servedMs = performance.now() - startedAt;
    const loadBlock = watch.stop();
    const { user, system } = process.cpuUsage(cpu);
    const entries = counts ? counts.served + counts.hidden : 0;
    const postgresSeconds = ((await postgresCpuSeconds(dataDirectory)) ?? NaN) - (postgresCpu ?? NaN);
    const row = [
      label,
      (committedMs / 1000).toFixed(2),
      entries === 0 ? '–' : Math.round((entries / committedMs) * 1000),
      isVisible ? (servedMs / 1000).toFixed(2) : '–',
      (await rowsWritten(database.migrator)) - written,
      ((user + system) / 1e6).toFixed(2),
      Number.isNaN(postgresSeconds) ? '–' : postgresSeconds.toFixed(2),
      showBlock(importBlock),
      isVisible ? showBlock(loadBlock) : '–',
      Math.round(process.resourceUsage().maxRSS / 1024),
    ];
    return { contentHash, row };
  };
  const started = starting.move();
  return { step, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

function nothing(): Promise<never> {
  return Promise.reject(new Error('a bench has neither Secrets nor workflows'));
}

/** Undefined while the list cannot be answered yet. */
async function etagOf(url: string): Promise<string | undefined> {
  const [response] = (await once(get(url), 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode === 200 ? response.headers.etag : undefined;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(POLL_MS);
}

/** As the database counts them; each import has ended its connection by then, with which its counts are handed in. */
async function rowsWritten(database: DatabaseAccess): Promise<number> {
  await delay(200);
  return withClient(database, async (client) => {
    const { rows } = await client.query<{ written: number }>(
      `SELECT (n_tup_ins + n_tup_upd + n_tup_del)::int AS written FROM pg_stat_user_tables WHERE relname = 'entry'`,
    );
    return rows[0]?.written ?? 0;
  });
}
