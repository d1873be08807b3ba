import { join } from 'node:path';
import type { ImportJob } from '#activities/sync/thread-jobs.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { openBenchStore } from './bench-store.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';
import { showBlock } from './loop-watch.js';
import { load } from './reads/load.js';
import { ServerProcess } from './reads/server-process.js';

const NAMES = 50_000;
const NAMES_BEFORE = 1_000;
const CONNECTIONS = 16;
const SLICE_SECONDS = 0.5;

const registry = { namespace: 'bench', name: 'busy', uid: '00000000-0000-4000-8000-000000000003' };

/** Measures how a full import affects readers and probes that are served by the same process. */
export const importUnderReadsBench: Bench = {
  name: 'import-under-reads',

  async run() {
    await using store = await openBenchStore();
    const [small, large] = [join(store.directory, 'small.json'), join(store.directory, 'large.json')];
    await generateCatalogue(small, { names: NAMES_BEFORE });
    const entries = await generateCatalogue(large, { names: NAMES });
    await store.catalogue.adoptPlan(
      registry,
      null,
      ['small', 'large'].map((name) => ({
        name,
        type: 'git',
        address: '',
        format: 'upstream' as const,
        specHash: 'a',
        filterHash: 'b',
        referenceHash: '',
      })),
    );
    const place = { namespace: registry.namespace, registry: registry.name };
    await using server = await ServerProcess.start({ kind: 'api', database: store.database.app, ...place });
    await server.import(jobOf('small', small, store.database.app));

    const { port } = server.started;
    await readUntil(port, Promise.resolve());
    await server.watch();
    const startedAt = performance.now();
    const importing = server
      .import(jobOf('large', large, store.database.app))
      .then(() => (performance.now() - startedAt) / 1000);
    const { reads, probes } = await readUntil(port, importing);
    const block = showBlock(await server.longestBlock());
    return [
      {
        title: `Import of ${entries} entries in ${(await importing).toFixed(2)} s; longest block / work of the event loop ${block} ms`,
        head: ['requested meanwhile', 'connections', 'answers', 'p50 ms', 'p99 ms', 'max ms'],
        rows: [toRow('GET /v0.1/servers', CONNECTIONS, reads), toRow('GET /health', 1, probes)],
      },
    ];
  },
};

function jobOf(source: string, file: string, database: DatabaseAccess): ImportJob {
  return {
    kind: 'import',
    file,
    label: source,
    format: 'upstream',
    filter: {},
    maxFileBytes: 1e9,
    readAlike: true,
    database,
    target: { registry, source, revision: '1', specHash: 'a', filterHash: 'b' },
  };
}

/** Reads in slices of time until the work is done, and returns the latencies, including the whole last slice. */
async function readUntil(
  port: number,
  work: Promise<unknown>,
): Promise<{ readonly reads: readonly number[]; readonly probes: readonly number[] }> {
  const over = new AbortController();
  const done = work.finally(() => over.abort());
  const [reads, probes]: [number[], number[]] = [[], []];
  const ask = async (path: string, connections: number, into: number[]) => {
    do {
      const options = { port, connections, seconds: SLICE_SECONDS, expectedStatus: 200, request: () => path };
      into.push(...(await load(options)).latencies);
    } while (!over.signal.aborted);
  };
  await Promise.all([done, ask('/v0.1/servers', CONNECTIONS, reads), ask('/health', 1, probes)]);
  return { reads, probes };
}

function toRow(label: string, connections: number, latencies: readonly number[]): (string | number)[] {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(2);
  return [label, connections, sorted.length, at(0.5), at(0.99), at(1)];
}
