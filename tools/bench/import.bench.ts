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
import { secondsToCopy } from './copy-yardstick.js';
import type { CopySeconds } from './copy-yardstick.js';
import { secondsToParse } from './yardstick.js';

const NAMES = 50_000;
const EDIT_EVERY = 100;
const POLL_MS = 10;
const PATIENCE_MS = 60_000;
const registry = { namespace: 'bench', name: 'import', uid: '00000000-0000-4000-8000-000000000001' };

/**
 * Measures an import from a file on disk to committed rows, and on to responses that contain them, in one process that
 * imports and serves: the first time, unchanged, with the same entries in another file, and with 1 % of them edited.
 */
export const importBench: Bench = {
  name: 'import',

  async run() {
    await using store = await openBenchStore();
    await store.catalogue.adoptPlan(registry, null, [
      { name: 's', type: 'git', address: '', format: 'upstream', specHash: 'a', filterHash: 'b' },
    ]);
    const [first, changed] = [join(store.directory, 'first.json'), join(store.directory, 'edited.json')];
    const entries = await generateCatalogue(first, { names: NAMES });
    await generateCatalogue(changed, { names: NAMES, editEvery: EDIT_EVERY });
    const megabytes = Math.round((await stat(first)).size / 1e5) / 10;
    const parseSeconds = (await secondsToParse(first)).toFixed(2);

    await using imports = await startImporting(store);
    const fresh = await imports.step('first import', first);
    const unchanged = await imports.step('unchanged file', first, fresh.contentHash);
    const rehashed = await imports.step('unchanged entries, other file hash', first);
    const edited = await imports.step('1 % edited', changed);
    const rows = [fresh, unchanged, rehashed, edited].map(({ row }) => row);
    const copy = await secondsToCopy(store.database.migrator);
    const title = `Import of ${entries} entries, ${megabytes} MB, which JSON.parse alone takes ${parseSeconds} s for here`;
    return [{ title, head: HEAD, rows }, limitsOf([fresh, unchanged, edited], copy)];
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

/** Returns the figures that have limits, each beside its limit. */
function limitsOf([fresh, unchanged, edited]: readonly [Step, Step, Step], copy: CopySeconds): BenchTable {
  const committed = fresh.committedMs / 1000;
  return {
    title: `Limits; a binary COPY of the same rows takes ${copy.indexed.toFixed(2)} s here, ${copy.bare.toFixed(2)} s without indexes`,
    head: ['figure', 'measured', 'limit'],
    rows: [
      ['first import to committed ÷ COPY', (committed / copy.indexed).toFixed(2), '1.15'],
      ['first import to committed ÷ COPY without indexes', (committed / copy.bare).toFixed(2), '–'],
      ['committed to served, s', ((fresh.servedMs - fresh.committedMs) / 1000).toFixed(2), '0.5'],
      ['peak RSS after the first import, MB', fresh.peakMegabytes, '400'],
      ['peak RSS at the end, MB', edited.peakMegabytes, '400'],
      ['unchanged file, s', (unchanged.committedMs / 1000).toFixed(2), '0.2'],
      ['unchanged file, rows written', unchanged.rowsWritten, '0'],
      ['1 % edited to served ÷ first import to served', (edited.servedMs / fresh.servedMs).toFixed(2), '0.25'],
    ],
  };
}

interface Importing extends AsyncDisposable {
  step(label: string, file: string, storedContentHash?: string): Promise<Step>;
}

interface Step {
  readonly contentHash: string;
  readonly committedMs: number;
  readonly servedMs: number;
  readonly rowsWritten: number;
  readonly peakMegabytes: number;
  readonly row: BenchTable['rows'][number];
}

/** Starts the API of a registry and the threads that import into it, in one process, as in the product. */
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
  // Wait until the API and the import threads are up, because other benches measure a process that has just started.
  // The list is refused until the first sync.
  await until('the catalogue to be loaded', () => Promise.resolve(api.catalogue.snapshots !== undefined));
  await delay(2_000);

  const step = async (label: string, file: string, storedContentHash?: string): Promise<Step> => {
    const [served, writtenBefore] = [await etagOf(list), await countRowsWritten(database.migrator)];
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
    if (isVisible) await until('the import to be served', async () => (await etagOf(list)) !== served);
    const servedMs = performance.now() - startedAt;
    const loadBlock = watch.stop();
    const { user, system } = process.cpuUsage(cpu);
    const entries = counts ? counts.served + counts.hidden : 0;
    const postgresSeconds = ((await postgresCpuSeconds(dataDirectory)) ?? NaN) - (postgresCpu ?? NaN);
    const written = (await countRowsWritten(database.migrator)) - writtenBefore;
    const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
    const row = [
      label,
      (committedMs / 1000).toFixed(2),
      entries === 0 ? '–' : Math.round((entries / committedMs) * 1000),
      isVisible ? (servedMs / 1000).toFixed(2) : '–',
      written,
      ((user + system) / 1e6).toFixed(2),
      Number.isNaN(postgresSeconds) ? '–' : postgresSeconds.toFixed(2),
      showBlock(importBlock),
      isVisible ? showBlock(loadBlock) : '–',
      peakMegabytes,
    ];
    return { contentHash, committedMs, servedMs, rowsWritten: written, peakMegabytes, row };
  };
  const started = starting.move();
  return { step, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

function nothing(): Promise<never> {
  return Promise.reject(new Error('a bench has neither Secrets nor workflows'));
}

/** Returns undefined while the list cannot be served yet. */
async function etagOf(url: string): Promise<string | undefined> {
  const [response] = (await once(get(url), 'response')) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode === 200 ? response.headers.etag : undefined;
}

/**
 * Polls until the condition holds. Throws after {@link PATIENCE_MS}, because a bench that waits silently gives no
 * reason.
 */
async function until(awaited: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS / 1000} s for ${awaited}`);
    await delay(POLL_MS);
  }
}

/**
 * Returns the number of row writes from the statistics of Postgres. They are flushed when a connection closes, and each
 * import has closed its own by now.
 */
async function countRowsWritten(database: DatabaseAccess): Promise<number> {
  await delay(200);
  return withClient(database, async (client) => {
    const { rows } = await client.query<{ written: number }>(
      `SELECT (n_tup_ins + n_tup_upd + n_tup_del)::int AS written FROM pg_stat_user_tables WHERE relname = 'entry'`,
    );
    return rows[0]?.written ?? 0;
  });
}
