import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { EditionReader } from '#support/edition-reader.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { KillableWorker } from '#support/killable-worker.js';
import { RegistryWorld } from '#support/registry-world.js';
import { at, UpstreamRegistry } from '#support/upstream-registry.js';

/** Ten seeds by default. `npm run chaos -- --kills=30` uses more. */
const SEEDS = Array.from({ length: Number(process.env['CHAOS_KILLS'] ?? 10) }, (_, index) => index + 1);
const SOURCES = ['file', 'pages'] as const;
const FILE_SERVERS = 800;
const PAGE_SERVERS = 300;

let repository: GitRepository;
let upstream: UpstreamRegistry;
let world: RegistryWorld;
let worker: KillableWorker;
let readers: EditionReader[];
/** Time from the start of a sync until its result is served, without kills. */
let undisturbedMs: number;
let edition = 0;

beforeAll(async () => {
  repository = await createGitRepository();
  upstream = new UpstreamRegistry(30);
  const endpoint = await upstream.listen();
  await publishEdition();
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    heartbeatTimeoutMs: 5_000,
    withoutSyncWorker: true,
    settings: { urlRewrites: [{ from: 'https://git.example/servers.git', to: repository.url }] },
    manifests: `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: team}
spec:
  auth: {mode: anonymous}
  registries:
    - name: file
      git: {repository: https://git.example/servers.git, path: registry.json}
    - name: pages
      api: {endpoint: '${endpoint}'}
`,
  });
  worker = new KillableWorker(world.syncWorker);
  worker.start();
  for (const source of SOURCES) await world.source(source, ({ lastSyncAtMs }) => lastSyncAtMs !== undefined);
  const { url, catalogue } = await world.serve();
  await catalogue.nextChange();
  readers = [
    new EditionReader(`${url}/registry/file`, linesOfFile),
    new EditionReader(`${url}/registry/pages`, linesOfPages),
  ];
  await sees(1);

  await publishEdition();
  await world.workflows.syncNow(world.registry);
  const startedAt = performance.now();
  await sees(2);
  undisturbedMs = performance.now() - startedAt;
});

afterAll(async () => {
  await Promise.all(readers?.map((reader) => reader.stop()) ?? []);
  await worker?.stop();
  await world?.stop();
  upstream?.close();
  await repository?.[Symbol.asyncDispose]();
});

/**
 * Publishes the next edition. Each edition changes every description, adds a server, and omits the server with its own
 * number.
 */
async function publishEdition(): Promise<void> {
  const next = edition + 1;
  const { servers, ...rest } = JSON.parse(toolhiveCatalogue(FILE_SERVERS + next, next));
  delete servers[`server-${padded(next)}`];
  await repository.commit({ 'registry.json': JSON.stringify({ ...rest, servers }) });
  upstream.entries = Array.from({ length: PAGE_SERVERS + next }, (_, index) => ({
    name: `a/${padded(index)}`,
    description: describeServer(index, next),
    // The upstream registry keeps tombstones of withdrawn entries.
    ...(index < next ? { status: 'deleted', updatedAt: at(index) } : { updatedAt: at(next) }),
  }));
  edition = next;
}

const padded = (index: number) => String(index).padStart(6, '0');
const describeServer = (index: number, of: number) => `Server number ${index}, edition ${of}`;

function linesOfFile(of: number): string[] {
  const indexes = Array.from({ length: FILE_SERVERS + of }, (_, index) => index).filter((index) => index !== of);
  return indexes.map((index) => `io.github.stacklok/server-${padded(index)} ${describeServer(index, of)}`);
}

function linesOfPages(of: number): string[] {
  const indexes = Array.from({ length: PAGE_SERVERS + of }, (_, index) => index).filter((index) => index >= of);
  return indexes.map((index) => `a/${padded(index)} ${describeServer(index, of)}`);
}

async function sees(wanted: number): Promise<void> {
  await Promise.all(readers.map((reader) => reader.sees(wanted)));
}

/** Returns a number between 0 and 1 that is always the same for a seed. */
function chance(seed: number): number {
  return Number.parseInt(hash('sha256', `kill ${seed}`).slice(0, 8), 16) / 2 ** 32;
}

describe('kill -9 of the sync worker', () => {
  it.each(SEEDS)(
    'at a random moment of two syncs, seed %i: both converge, and no reader sees a partial state',
    async (seed) => {
      await publishEdition();
      await world.workflows.syncNow(world.registry);
      await sleep(chance(seed) * undisturbedMs);
      await worker.replace();
      await sees(edition);

      const lines = { file: linesOfFile(edition), pages: linesOfPages(edition) };
      for (const source of SOURCES) {
        const facts = await world.source(source, ({ running }) => running === undefined);
        expect(facts).toMatchObject({ serverCount: lines[source].length, attemptCount: 0 });
        expect(facts.failure).toBeUndefined();
      }
      expect(await storedLines()).toEqual(lines);
      expect(readers.flatMap(({ faults }) => faults)).toEqual([]);
    },
  );

  it('leaves no partial state behind, and records each edition exactly once', async () => {
    expect(await world.query('SELECT walk FROM staged_walk')).toEqual([]);
    const recorded = await world.query(
      `SELECT source.name AS source, count(*)::int AS runs, count(DISTINCT sync_run.revision)::int AS revisions
         FROM sync_run JOIN source ON source.id = source_id
        WHERE (counts->>'added')::int > 0 GROUP BY source.name ORDER BY source.name`,
    );
    expect(recorded).toEqual(SOURCES.map((source) => ({ source, runs: edition, revisions: edition })));
    for (const { answers } of readers) expect(answers).toBeGreaterThan(SEEDS.length);
  });
});

/** Returns the live entries in the database, by source, in order of name. */
async function storedLines(): Promise<Record<string, string[]>> {
  const rows = await world.query<{ source: string; line: string }>(
    `SELECT source.name AS source, entry.name || ' ' || entry.description AS line
       FROM entry JOIN source ON source.id = source_id WHERE deleted_at IS NULL ORDER BY entry.name`,
  );
  const bySource = Map.groupBy(rows, ({ source }) => source);
  return Object.fromEntries(SOURCES.map((source) => [source, bySource.get(source)?.map(({ line }) => line) ?? []]));
}
