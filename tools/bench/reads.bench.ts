import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ImportThreads } from '#activities/sync/import-threads.js';
import { projectRoot } from '#environment/project-root.js';
import { CATALOGUE_CHANNEL } from '#persistence/catalogue-channel.js';
import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { BenchStore } from './bench-store.js';
import { openBenchStore } from './bench-store.js';
import type { BenchTable } from './bench-table.js';
import type { Bench } from './bench.js';
import { generateCatalogue } from './generate-catalogue.js';
import { showBlock } from './loop-watch.js';
import type { LongestBlock } from './loop-watch.js';
import { AUDIENCE, startIssuer } from './auth/issuer.js';
import { findGenerator } from './reads/generator.js';
import type { GeneratedLoad, Generator } from './reads/generator.js';
import { Connection, load } from './reads/load.js';
import { ServerProcess } from './reads/server-process.js';
import type { FixedAnswer, Started } from './reads/server-process.js';

const NAMES = 50_000;
/** A real catalogue of today, if the file is present. */
const REAL_CATALOGUE = fileURLToPath(new URL('../shared/fixtures/catalogues/toolhive.json', projectRoot));
const SECONDS = 2;
const ROUNDS = 5;
const CONNECTIONS = 16;
/** Number of different requests per case, sent in turn. */
const VARIANTS = 2_000;
const TOKENS = 100;

/**
 * Measures lists, searches, single servers and 304s, and compares each with a Fastify route that sends the same
 * response, headers and body, from one Buffer. Argument: `large` or `real`, to select one of the two catalogues.
 */
export const readsBench: Bench = {
  name: 'reads',

  async run(catalogue) {
    const tables: BenchTable[] = [];
    for (const name of catalogue === undefined ? ['large', 'real'] : [catalogue]) {
      // Use a separate database for each catalogue, because a server loads everything that is in its database.
      await using store = await openBenchStore();
      tables.push(...(await measure(store, name, await catalogueFile(store, name))));
    }
    return tables;
  },
};

async function catalogueFile({ directory }: BenchStore, name: string): Promise<string> {
  if (name === 'real' && existsSync(REAL_CATALOGUE)) return REAL_CATALOGUE;
  const file = join(directory, `${name}.json`);
  await generateCatalogue(file, { names: name === 'large' ? NAMES : 100 });
  return file;
}

async function measure(store: BenchStore, name: string, file: string): Promise<BenchTable[]> {
  await publish(store, name, file);
  const place = { namespace: 'bench', registry: name };
  await using issuer = await startIssuer();
  const tokens = await issuer.tokens(TOKENS);
  const providers = [
    { name: 'bench', issuerUrl: issuer.url, jwksUrl: issuer.jwksUrl, audience: AUDIENCE, allowPrivateIP: true },
  ];
  const startApi = (auth?: object) =>
    ServerProcess.start({ kind: 'api', database: store.database.app, ...place, ...(auth && { auth }) });
  const firstStart = await startedOnce(() => startApi());
  await using api = await startApi();
  const idle = await api.usage();
  const walkedFirst = await walkByOne(api, 100);
  const walked = await walkByOne(api, 25_000);
  const names: string[] = [];
  const cursors: string[] = [];
  await walk(api, 100, Infinity, ({ servers, metadata }) => {
    names.push(...servers.map(({ server }) => server.name));
    if (metadata.nextCursor !== undefined) cursors.push(metadata.nextCursor);
  });
  const cases = toCases(names, cursors);

  const answers: Record<string, FixedAnswer> = {};
  const connection = await Connection.open(api.started.port);
  for (const [index, { request, isCurrent }] of cases.entries()) {
    const whole = await connection.fetch(request(0));
    const condition = conditionOf(whole.headers);
    const { status, headers } = isCurrent ? await connection.fetch(`${request(0)}${condition}`) : whole;
    const body = join(store.directory, `${name}-${index}.json`);
    await writeFile(body, whole.body);
    answers[`/${index}`] = { status, headers: withoutOwn(headers), body };
  }
  connection.close();
  await using bare = await ServerProcess.start({ kind: 'bare', answers });
  await using guarded = await startApi({ oauth: { providers } });
  const generator = await findGenerator();

  const rows: (string | number)[][] = [];
  for (const [index, { label, request, isCurrent, isGuarded }] of cases.entries()) {
    const { status, headers } = answers[`/${index}`] as FixedAnswer;
    const condition = isCurrent ? conditionOf(headers) : '';
    const token = (n: number) => (isGuarded ? `\r\nAuthorization: Bearer ${tokens[n % TOKENS]}` : '');
    const requests = Array.from({ length: VARIANTS }, (_, n) => `${request(n)}${condition}${token(n)}`);
    const common = { connections: CONNECTIONS, seconds: SECONDS, expectedStatus: status };
    const { ours, limit, share } = await compareCosts(
      generator,
      [isGuarded ? guarded : api, { ...common, requests }],
      [bare, { ...common, requests: [`/${index}${condition}`] }],
    );
    rows.push([
      label,
      ours.cpu.toFixed(1),
      limit.cpu.toFixed(1),
      share.toFixed(2),
      Math.round(ours.perSecond),
      Math.round(limit.perSecond),
      ours.p99.toFixed(2),
      limit.p99.toFixed(2),
    ]);
  }
  const loaded = await api.usage();
  const change = await takeInChange(store, name, api);
  return [
    {
      title: `Reads, ${name}: ${names.length} names; server CPU in µs a request, medians of ${ROUNDS} turns by ${generator.name}`,
      head: ['answer', 'CPU', 'bare CPU', 'bare / ours', 'req/s', 'bare req/s', 'p99 ms', 'bare p99 ms'],
      rows,
    },
    {
      title: `Read model, ${name}`,
      head: ['what', 'value', 'longest block / work ms'],
      rows: [
        ['built right after the import, ms', Math.round(firstStart.loadMs), showBlock(firstStart.longestBlock)],
        ['built at a later start, ms', Math.round(api.started.loadMs), showBlock(api.started.longestBlock)],
        ['RSS idle, MB', idle.rssMegabytes, ''],
        ['RSS after load, MB', loaded.rssMegabytes, ''],
        [`the first ${walkedFirst.requests} names one by one, s`, walkedFirst.seconds.toFixed(2), ''],
        [`${walked.requests} names one by one, s`, walked.seconds.toFixed(2), ''],
        ['1 % changed, commit to visible under load, ms', Math.round(change.visibleMs), showBlock(change.longestBlock)],
        ['RSS after that, MB', (await api.usage()).rssMegabytes, ''],
      ],
    },
  ];
}

/**
 * Starts a server once and stops it, because the first read after a write sets hint bits in Postgres and therefore
 * takes half as long again.
 */
async function startedOnce(start: () => Promise<ServerProcess>): Promise<Started> {
  await using server = await start();
  return server.started;
}

/** Imports a file as the only source of a registry, as a sync would. */
export async function publish({ catalogue, database }: BenchStore, name: string, file: string): Promise<void> {
  const registry = { namespace: 'bench', name, uid: '00000000-0000-4000-8000-000000000002' };
  const format = file === REAL_CATALOGUE ? 'toolhive' : 'upstream';
  await catalogue.adoptPlan(registry, null, [
    { name: 's', type: 'git', address: '', format, specHash: 'a', filterHash: 'b' },
  ]);
  const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });
  await threads.run(
    {
      kind: 'import',
      file,
      label: name,
      format,
      filter: {},
      maxFileBytes: 1e9,
      readAlike: true,
      database: database.app,
      target: { registry, source: 's', revision: '1', specHash: 'a', filterHash: 'b' },
    },
    { signal: new AbortController().signal, progress: () => undefined },
  );
}

interface Page {
  readonly servers: readonly { readonly server: { readonly name: string } }[];
  readonly metadata: { readonly nextCursor?: string };
}

/**
 * Reads the catalogue as `thv` does at its start: in pages of one entry, each requested with the cursor of the page
 * before it, up to `atMost` pages.
 */
async function walkByOne(api: ServerProcess, atMost: number): Promise<{ requests: number; seconds: number }> {
  const startedAt = performance.now();
  const requests = await walk(api, 1, atMost, () => undefined);
  return { requests, seconds: (performance.now() - startedAt) / 1000 };
}

async function walk(api: ServerProcess, limit: number, atMost: number, onPage: (page: Page) => void): Promise<number> {
  const connection = await Connection.open(api.started.port);
  let pages = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined && pages < atMost; pages++) {
    const path = `/v0.1/servers?limit=${limit}&version=latest&cursor=${cursor}`;
    const { status, body } = await connection.fetch(path);
    if (status !== 200) throw new Error(`${path} was answered with ${status}: ${body.toString()}`);
    const page = JSON.parse(body.toString()) as Page;
    onPage(page);
    cursor = page.metadata.nextCursor;
  }
  connection.close();
  return pages;
}

interface Case {
  readonly label: string;
  readonly isCurrent?: boolean;
  /** Whether the request goes to a registry that requires tokens. */
  readonly isGuarded?: boolean;
  request(n: number): string;
}

function toCases(names: readonly string[], cursors: readonly string[]): Case[] {
  const pick = <T>(list: readonly T[], n: number) => list[(n * 7919) % list.length] as T;
  const pathOf = (n: number) => `/v0.1/servers/${encodeURIComponent(pick(names, n))}/versions`;
  return [
    { label: 'first page', request: () => '/v0.1/servers' },
    // A list of one page has no cursors.
    { label: 'random page of 100', request: (n) => `/v0.1/servers?limit=100&cursor=${pick(['', ...cursors], n)}` },
    { label: 'search, mixed words', request: (n) => `/v0.1/servers?search=${encodeURIComponent(wordOf(names, n))}` },
    { label: 'latest', request: (n) => `${pathOf(n)}/latest` },
    { label: 'versions', request: pathOf },
    { label: 'first page, 304', request: () => '/v0.1/servers', isCurrent: true },
    { label: 'first page, JWT', request: () => '/v0.1/servers', isGuarded: true },
    { label: 'latest, JWT', request: (n) => `${pathOf(n)}/latest`, isGuarded: true },
    { label: 'latest, 304', request: (n) => `${pathOf(n)}/latest`, isCurrent: true },
  ];
}

/**
 * Returns a search term. A third are parts of names, at least two characters long; a third are words that many entries
 * contain; a third are words that no entry contains.
 */
function wordOf(names: readonly string[], n: number): string {
  const name = names[(n * 104_729) % names.length] as string;
  if (n % 3 === 0) return name.slice((n * 31) % (name.length - 1)).slice(0, 2 + (n % 9));
  if (n % 3 === 1) return FREQUENT[(n * 13) % FREQUENT.length] as string;
  return `${FREQUENT[(n * 17) % FREQUENT.length]}${((n * 2_654_435_761) % 2 ** 32).toString(36)}`;
}

const FREQUENT = [
  ['github', 'server', 'kubernetes', 'postgres', 'search', 'an agent', 'fetch', 'e', 'mcp', 'io.example.slack/'],
  ['inspect, fetch', 'Bridge', 'number 0', '-tools-', 'STRIPE', 'through jira', 'export', 'update', 'ee', 'zq'],
].flat();

/** Returns the additional header of a conditional request. */
function conditionOf(headers: FixedAnswer['headers']): string {
  return `\r\nIf-None-Match: ${headers['etag']}`;
}

/** The headers that Fastify and Node add to any response. */
const THEIR_OWN = new Set(['connection', 'content-length', 'date', 'keep-alive']);

function withoutOwn(headers: FixedAnswer['headers']): FixedAnswer['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !THEIR_OWN.has(name)));
}

interface Cost {
  readonly cpu: number;
  readonly perSecond: number;
  readonly p99: number;
}

type Asked = readonly [ServerProcess, Omit<GeneratedLoad, 'port'>];

interface Comparison {
  readonly ours: Cost;
  readonly limit: Cost;
  /** CPU time of the bare Fastify route, divided by that of our API. */
  readonly share: number;
}

/** Measures both in turn, after a warm-up that corresponds to some minutes of service. */
async function compareCosts(generator: Generator, ours: Asked, limit: Asked): Promise<Comparison> {
  for (const asked of [ours, limit]) await costOf(generator, asked);
  const rounds: { ours: Cost; limit: Cost }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ ours: await costOf(generator, ours), limit: await costOf(generator, limit) });
  }
  return {
    ours: medianCost(rounds.map((round) => round.ours)),
    limit: medianCost(rounds.map((round) => round.limit)),
    share: median(rounds.map((round) => round.limit.cpu / round.ours.cpu)),
  };
}

function medianCost(costs: readonly Cost[]): Cost {
  const of = (pick: (cost: Cost) => number) => median(costs.map(pick));
  return { cpu: of(({ cpu }) => cpu), perSecond: of(({ perSecond }) => perSecond), p99: of(({ p99 }) => p99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

async function costOf(generator: Generator, [server, options]: Asked): Promise<Cost> {
  const before = await server.usage();
  const { requests, seconds, p99 } = await generator.send({ ...options, port: server.started.port });
  const after = await server.usage();
  return { cpu: (after.cpuMicros - before.cpuMicros) / requests, perSecond: requests / seconds, p99 };
}

/** Edits every hundredth entry as a sync would, during reads by others, and waits until a reader sees the change. */
async function takeInChange(
  { database }: BenchStore,
  registry: string,
  api: ServerProcess,
): Promise<{ visibleMs: number; longestBlock: LongestBlock }> {
  const { port } = api.started;
  const watcher = await Connection.open(port);
  const tagNow = async () => (await watcher.fetch('/v0.1/servers?limit=1')).headers['etag'];
  const change = async () => {
    await sleep(500);
    const before = await tagNow();
    await api.watch();
    await editEveryHundredth(database.app, registry);
    const committedAt = performance.now();
    while ((await tagNow()) === before);
    return performance.now() - committedAt;
  };
  const [visibleMs] = await Promise.all([
    change(),
    load({ port, connections: 8, seconds: 2, request: () => '/v0.1/servers', expectedStatus: 200 }),
  ]);
  watcher.close();
  return { visibleMs, longestBlock: await api.longestBlock() };
}

export async function editEveryHundredth(database: DatabaseAccess, registry: string): Promise<void> {
  await withClient(database, async (client) => {
    await client.query('BEGIN');
    await client.query(
      `UPDATE entry SET server_json = replace(server_json, 'Lets', 'Now lets'), updated_at = now()
         FROM (SELECT source_id, entry.name, version, row_number() OVER (ORDER BY entry.name, version) AS number
                 FROM entry JOIN source ON source.id = source_id AND source.registry = $1) AS numbered
        WHERE number % 100 = 0
          AND (entry.source_id, entry.name, entry.version) = (numbered.source_id, numbered.name, numbered.version)`,
      [registry],
    );
    await client.query('UPDATE source SET generation = generation + 1 WHERE registry = $1', [registry]);
    await client.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `bench/${registry}`]);
    await client.query('COMMIT');
  });
}
