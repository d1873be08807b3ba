import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { ImportResult } from '#activities/sync/import-threads.js';
import { createDataSource } from '#persistence/database.js';
import type { Database } from '#persistence/database.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { migrate } from '#persistence/migrate.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { generateCatalogue } from './generate-catalogue.js';
import type { BenchTable } from './bench-table.js';

const NAMES = 50_000;
const registry = { namespace: 'bench', name: 'import', uid: '00000000-0000-4000-8000-000000000001' };

/** From a file on disk to committed rows: the first time, unchanged, unchanged but reformatted, and with 1 % edited. */
export async function importBench(): Promise<BenchTable> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, durable: true, log: () => undefined });
  const database: Database = {
    app: { ...postgres.connection, user: 'db_app' },
    migrator: { ...postgres.connection, user: 'db_migrator' },
  };
  await migrate(database);
  const dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  const catalogue = new RegistryCatalogue(dataSource);
  const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });
  try {
    await catalogue.adoptPlan(registry, null, [
      { name: 's', type: 'git', address: '', format: 'upstream', specHash: 'a', filterHash: 'b', referenceHash: '' },
    ]);
    const [first, edited] = [join(directory, 'first.json'), join(directory, 'edited.json')];
    const entries = await generateCatalogue(first, { names: NAMES });
    await generateCatalogue(edited, { names: NAMES, editEvery: 100 });
    const megabytes = Math.round((await stat(first)).size / 1e5) / 10;

    const measure = async (label: string, file: string, stored?: string) => {
      const delay = monitorEventLoopDelay({ resolution: 10 });
      delay.enable();
      const startedAt = performance.now();
      const result = await threads.run(
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
          ...(stored === undefined ? {} : { storedContentHash: stored }),
        },
        { signal: new AbortController().signal, progress: () => undefined },
      );
      const seconds = (performance.now() - startedAt) / 1000;
      delay.disable();
      return { result, row: toRow(label, result, entries, seconds, delay.max / 1e6) };
    };
    const fresh = await measure(`first import of ${entries} entries, ${megabytes} MB`, first);
    const rows = [
      fresh.row,
      (await measure('unchanged file', first, fresh.result.contentHash)).row,
      (await measure('unchanged entries, file hash not known', first)).row,
      (await measure('1 % edited', edited)).row,
    ];
    return {
      title: 'Import',
      head: ['step', 's', 'entries/s', 'rows written', 'longest block ms', 'peak RSS MB'],
      rows,
    };
  } finally {
    await dataSource.destroy();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function toRow(
  label: string,
  { counts }: ImportResult,
  entries: number,
  seconds: number,
  blockMs: number,
): (string | number)[] {
  const written = counts ? counts.added + counts.updated + counts.removed : 0;
  const peakMegabytes = Math.round(process.resourceUsage().maxRSS / 1024);
  return [label, seconds.toFixed(2), Math.round(entries / seconds), written, blockMs.toFixed(1), peakMegabytes];
}
