import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { ImportResult } from '#activities/sync/import-threads.js';
import { openBenchStore } from './bench-store.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';

const NAMES = 50_000;
const registry = { namespace: 'bench', name: 'import', uid: '00000000-0000-4000-8000-000000000001' };

/** From a file on disk to committed rows: the first time, unchanged, unchanged but reformatted, and with 1 % edited. */
export const importBench: Bench = {
  name: 'import',

  async run() {
    await using store = await openBenchStore();
    const { directory, database, catalogue } = store;
    const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });
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
    const head = ['step', 's', 'entries/s', 'rows written', 'longest block ms', 'peak RSS MB'];
    return [{ title: 'Import', head, rows }];
  },
};

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
