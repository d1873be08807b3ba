import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { listServers, manifestOf, mcpRegistry, StandalonePlace } from '#support/standalone-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';
import type { ListedServer } from '#support/standalone-process.js';

/** Enough servers for an import to take a while. */
const SERVERS = 20_000;
const PATH = 'registry.json';
const SOURCE = { name: 'big', git: { repository: 'https://git.example/big.git', path: PATH } };
const MANIFEST = manifestOf(mcpRegistry('team', [{ ...SOURCE, syncPolicy: { interval: '1s' } }]));

/** Two by default. `npm run chaos -- --kills=30` uses more. */
const KILLS = Number(process.env['CHAOS_KILLS'] ?? 2);
const TIMEOUT_MS = 300_000 + KILLS * 100_000;

let place: StandalonePlace;
let repository: GitRepository;
let running: ShippedProcess;

beforeAll(async () => {
  place = await StandalonePlace.create({ manifest: MANIFEST });
  repository = await createGitRepository();
  await repository.commit({ [PATH]: catalogue(1) });
});

afterAll(async () => {
  await place[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
});

/** Returns the catalogue of an edition. Each edition changes every description, adds a server and drops another. */
function catalogue(edition: number): string {
  const { servers, ...rest } = JSON.parse(toolhiveCatalogue(SERVERS + edition, edition));
  delete servers[`server-${String(edition).padStart(6, '0')}`];
  return JSON.stringify({ ...rest, servers });
}

function namesOf(edition: number): string[] {
  const numbers = Array.from({ length: SERVERS + edition }, (_, index) => index).filter((index) => index !== edition);
  return numbers.map((index) => `io.github.stacklok/server-${String(index).padStart(6, '0')}`);
}

function start(): ShippedProcess {
  return (running = place.start({
    env: { SOURCE_URL_REWRITES: `${SOURCE.git.repository}=${repository.url}`, MIN_SYNC_INTERVAL: '1s' },
  }));
}

/**
 * Asserts that the list is exactly this edition: every name once, none missing, and all descriptions of this edition.
 */
function expectEdition(edition: number, listed: readonly ListedServer[]): void {
  expect(listed.map(({ name }) => name)).toEqual(namesOf(edition));
  const editions = new Set(listed.map(({ description }) => /edition (\d+)$/.exec(description)?.[1]));
  expect([...editions]).toEqual([String(edition)]);
}

async function query<Row extends object>(sql: string): Promise<Row[]> {
  const client = new pg.Client({ host: join(place.data, 'postgres-run'), user: 'db_app', database: 'registry' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until an import is running. Its connection is in a transaction from the first statement to the commit. */
const importing = () =>
  eventually(async () => {
    const rows = await query(
      "SELECT FROM pg_stat_activity WHERE application_name = 'mcp-registry-import' AND xact_start IS NOT NULL",
    ).catch(() => []);
    return rows.length > 0 ? true : undefined;
  }, 10);

/** Waits until this edition is served, and returns the whole list. */
async function edition(wanted: number): Promise<readonly ListedServer[]> {
  await eventually(async () => {
    const response = await fetch(`${place.url}/v0.1/servers?limit=1`).catch(() => undefined);
    return response && (await response.text()).includes(`edition ${wanted}"`) ? true : undefined;
  });
  return (await listServers(place.url)) ?? [];
}

/** Returns the whole list; undefined if another revision was published between its pages. */
async function listAtRest(): Promise<readonly ListedServer[] | undefined> {
  const listed = await listServers(place.url);
  const response = await fetch(`${place.url}/v0.1/servers?limit=1`).catch(() => undefined);
  const now = await response?.text();
  return listed && now?.includes(JSON.stringify(listed[0]?.description)) ? listed : undefined;
}

/** Kills the process in the middle of the very first import. Nothing is served then; the next start imports everything. */
async function killFirstImport(): Promise<void> {
  start();
  await importing();
  await running.kill();
  const orphans = await place.servers();
  expect(await place.processes()).toEqual(expect.arrayContaining(Object.values(orphans)));

  start();
  expectEdition(1, await edition(1));
  expect(await place.processes()).not.toEqual(expect.arrayContaining([orphans.postgres]));
  expect(await place.processes()).not.toEqual(expect.arrayContaining([orphans.temporal]));
}

/** Kills the process while it imports an edition. The previous one is served until this one replaces it. */
async function killImport(next: number, afterMs: number): Promise<void> {
  await repository.commit({ [PATH]: catalogue(next) });
  await importing();
  await sleep(afterMs);
  await running.kill();

  start();
  const stored = await eventually(listAtRest);
  const [first] = stored;
  // The transaction may have been committed before the kill, but never only a part of it.
  expectEdition(first?.description.endsWith(`edition ${next}`) ? next : next - 1, stored);
  expectEdition(next, await edition(next));
}

/** Asserts that there is one row per sync run, and that no revision was published twice. */
async function expectHistory(): Promise<void> {
  const runs = await query<{ revision: string; published: string }>(
    `SELECT revision, count(*) AS published FROM sync_run
      WHERE failure_reason IS NULL AND (counts->>'added')::int > 0 GROUP BY revision`,
  );
  expect(runs.filter(({ published }) => published !== '1')).toEqual([]);
  const [{ rows, entries }] = (await query(
    `SELECT (SELECT count(*)::int FROM (SELECT FROM sync_run GROUP BY source_id, started_at HAVING count(*) > 1) AS twice) AS rows,
            (SELECT count(*)::int FROM entry WHERE deleted_at IS NULL) AS entries`,
  )) as [{ rows: number; entries: number }];
  expect(rows).toBe(0);
  expect(entries).toBe(namesOf(KILLS + 1).length);
}

it(
  `loses and repeats nothing when it is killed in the middle of an import, ${KILLS + 1} times`,
  async () => {
    await killFirstImport();
    for (let kill = 0; kill < KILLS; kill++) await killImport(kill + 2, Math.round((kill * 733) % 2_500));
    await running.ready();
    await expectHistory();
    expect(await running.stop()).toEqual({ code: 130, signal: null });
    await expect.poll(() => place.commands()).toEqual([]);
  },
  TIMEOUT_MS,
);
