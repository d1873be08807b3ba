import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { EntryCounts, SourcePlan, SyncOutcome } from '#domain/sync.js';
import { createDataSource } from '#persistence/database.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { ALONE } from '#support/alone.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

const TEAM: RegistryRef = { namespace: 'default', name: 'team', uid: randomUUID() };
const OTHER: RegistryRef = { namespace: 'default', name: 'other', uid: randomUUID() };
const CLOSED: RegistryRef = { namespace: 'default', name: 'closed', uid: randomUUID() };
const ABSENT: RegistryRef = { namespace: 'default', name: 'absent', uid: randomUUID() };

let database: TestDatabase;
let dataSource: DataSource;
let catalogue: RegistryCatalogue;
let rows: CatalogueRows;
let api: RegistryApi;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.app, { maxConnections: 2, onError: () => undefined }).initialize();
  catalogue = new RegistryCatalogue(dataSource);
  rows = await CatalogueRows.connect(database.app);
  const served = [TEAM, OTHER, CLOSED, ABSENT].map(({ namespace, name }): ServedRegistry => ({
    namespace,
    name,
    sources: [],
    auth: name === 'closed' ? NOBODY_IN : { mode: 'anonymous' },
  }));
  api = await startRegistryApi(
    apiOptions(database.app, served, {
      temporalUi: () => ({ url: 'https://temporal.example.com/ui/', namespace: 'a/b' }),
    }),
  );
});

/** Each test starts with registries that were never synced. */
beforeEach(async () => {
  await rows.query('DELETE FROM registry');
  await catalogue.adoptPlan(TEAM, 'Team registry', [
    { ...plan('ours', { intervalMs: 1_800_000 }), filter: FILTER },
    plan('mirror', { type: 'api', address: 'https://example.com/registry', format: 'upstream' }),
    plan('file', { type: 'configMapRef', address: 'ConfigMap team, key registry.json' }),
    plan('unborn', { type: 'pvcRef', address: 'PersistentVolumeClaim data, registry.json' }),
  ]);
  await catalogue.adoptPlan(OTHER, null, [plan('theirs')]);
  await catalogue.adoptPlan(CLOSED, 'Closed', [plan('secret')]);
});

afterAll(async () => {
  await api?.close();
  await rows?.end();
  await dataSource?.destroy();
  await database?.drop();
});

function plan(name: string, overrides: Partial<SourcePlan> = {}): SourcePlan {
  return {
    name,
    type: 'git',
    address: 'https://example.com/team/catalogue.git',
    format: 'toolhive',
    specHash: '',
    filterHash: '',
    referenceHash: '',
    ...overrides,
  };
}

const FILTER = { names: { include: ['io.example/*'] }, tags: { exclude: ['old'] } };
/** Counts of the other kinds of entries. */
const NOTHING_ELSE = { skillCount: 0, pluginCount: 0 };
const TIMES = { createdAt: expect.stringMatching(/Z$/), updatedAt: expect.stringMatching(/Z$/) };

const ODD = { reason: 'SourceEmpty', message: 'odd' } as const;
const COUNTS: EntryCounts = { served: 3, hidden: 1, quarantined: 2, added: 3, updated: 1, removed: 0, unchanged: 0 };
const MINUTE_MS = 60_000;
const NOON = Date.parse('2026-11-22T12:00:00Z');

/** Returns the outcome of the n-th run of a source. There is one run per minute, starting at noon. */
function outcome(source: string, run: number, rest: Partial<SyncOutcome> = {}): SyncOutcome {
  const startedAt = NOON + run * MINUTE_MS;
  return { source, run, storeId: 'store', trigger: 'interval', startedAt, finishedAt: startedAt + 1500, ...rest };
}

const unreachable = (message: string): Partial<SyncOutcome> => ({
  failure: { reason: 'Unreachable', message, destiny: 'retry' },
});

async function record(registry: RegistryRef, ran: SyncOutcome): Promise<void> {
  await catalogue.recordRun(registry, `runs/${registry.name}/${ran.source}/${ran.run}`, ran);
}

/** Writes what a publishing sync stores in the row of the source. */
async function markPublished(source: string, at: number, counts = COUNTS): Promise<void> {
  await rows.query(
    `UPDATE source SET revision = 'rev-1', content_hash = 'content-1', synced_at = $2, served_count = $3, hidden_count = $4, quarantined_count = $5
      WHERE name = $1`,
    [source, new Date(at), counts.served, counts.hidden, counts.quarantined],
  );
}

const get = (path: string, init?: RequestInit) => fetch(`${api.url}${path}`, init);

async function read<T = Record<string, unknown>>(path: string): Promise<T> {
  const response = await get(path);
  const body = (await response.json()) as T;
  expect({ path, status: response.status, body }).toMatchObject({ path, status: 200 });
  return body;
}

async function fault(path: string, init?: RequestInit): Promise<{ status: number; error: unknown }> {
  const response = await get(path, init);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return { status: response.status, ...((await response.json()) as { error: unknown }) };
}

interface Paged {
  metadata: { count: number; nextCursor?: string };
}

/** Reads all pages in order. */
async function walk<T extends Paged>(path: string, limit: number): Promise<T[]> {
  const pages: T[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page: T = await read<T>(`${path}?limit=${limit}&cursor=${cursor}`);
    expect(page.metadata.count).toBeLessThanOrEqual(limit);
    pages.push(page);
    cursor = page.metadata.nextCursor;
  }
  return pages;
}

/** Publishes a server to three sources, and others that the filter excludes or that only one source has. */
async function publishBoth(): Promise<void> {
  const hidden = { name: 'io.example/hidden', version: '1.0.0', hiddenBy: 'names.exclude: *hidden' };
  await rows.publish('default', 'team', 'ours', [{ name: 'io.example/both', version: '1.0.0' }]);
  await rows.publish('default', 'team', 'mirror', [{ name: 'io.example/both', version: '2.0.0' }, hidden]);
  await rows.publish('default', 'team', 'file', [
    { name: 'io.example/both', version: '2.0.0' },
    { name: 'io.example/\uff5e', version: '1.0.0' },
    { name: 'io.example/😀', version: '1.0.0' },
  ]);
}

interface SourceView {
  name: string;
  syncStatus: Record<string, unknown>;
}

describe('a source', () => {
  it('shows no syncs before the first one, and no failure', async () => {
    expect(await read('/extension/v0/registries/unborn')).toEqual({
      name: 'unborn',
      type: 'FILE',
      creationType: 'CONFIG',
      sourceType: 'file',
      format: 'toolhive',
      sourceConfig: { address: 'PersistentVolumeClaim data, registry.json' },
      syncStatus: { attemptCount: 0, ...NOTHING_ELSE, serverCount: 0, hiddenCount: 0, quarantinedCount: 0 },
      ...TIMES,
    });
  });

  it('shows a success, then failures next to the last success, then the next success', async () => {
    await markPublished('ours', NOON + MINUTE_MS + 1000);
    await record(TEAM, outcome('ours', 1, { trigger: 'initial', revision: 'rev-1', counts: COUNTS, notice: ODD }));
    const kept = {
      ...NOTHING_ELSE,
      lastSyncTime: '2026-11-22T12:01:01.000Z',
      lastSyncHash: 'content-1',
      serverCount: 3,
      hiddenCount: 1,
      quarantinedCount: 2,
      revision: 'rev-1',
    };
    expect(await read('/extension/v0/registries/ours')).toEqual({
      name: 'ours',
      type: 'REMOTE',
      creationType: 'CONFIG',
      sourceType: 'git',
      format: 'toolhive',
      sourceConfig: { repository: 'https://example.com/team/catalogue.git' },
      filterConfig: FILTER,
      syncSchedule: '30m',
      syncStatus: {
        ...kept,
        phase: 'complete',
        lastAttempt: '2026-11-22T12:01:00.000Z',
        nextSyncTime: '2026-11-22T12:31:00.000Z',
        attemptCount: 0,
        message: 'odd',
      },
      ...TIMES,
    });

    await record(TEAM, outcome('ours', 2, unreachable('no route to example.com')));
    await record(TEAM, outcome('ours', 3, unreachable('example.com does not answer')));
    const { syncStatus } = await read<SourceView>('/v1/sources/ours');
    expect(syncStatus).toEqual({
      ...kept,
      phase: 'failed',
      lastAttempt: '2026-11-22T12:03:00.000Z',
      // 90 % of the second backoff, from the end of the run.
      nextSyncTime: '2026-11-22T12:03:19.500Z',
      attemptCount: 2,
      reason: 'Unreachable',
      message: 'example.com does not answer',
    });

    await record(TEAM, outcome('ours', 4, { trigger: 'retry', revision: 'rev-1' }));
    expect((await read<SourceView>('/v1/sources/ours')).syncStatus).toEqual({
      ...kept,
      phase: 'complete',
      lastAttempt: '2026-11-22T12:04:00.000Z',
      nextSyncTime: '2026-11-22T12:34:00.000Z',
      attemptCount: 0,
      message: 'odd',
    });
  });

  it('is failed even without a success', async () => {
    await record(TEAM, outcome('mirror', 1, unreachable('connection refused')));
    expect((await read<SourceView>('/v1/sources/mirror')).syncStatus).toEqual({
      ...NOTHING_ELSE,
      phase: 'failed',
      lastAttempt: '2026-11-22T12:01:00.000Z',
      nextSyncTime: '2026-11-22T12:01:10.500Z',
      attemptCount: 1,
      serverCount: 0,
      hiddenCount: 0,
      quarantinedCount: 0,
      reason: 'Unreachable',
      message: 'connection refused',
    });
  });

  it('waits for its interval, or for a change, after a permanent failure', async () => {
    const wrong = { failure: { reason: 'InvalidData', message: 'not JSON', destiny: 'stop' } } as const;
    await record(TEAM, outcome('ours', 5, wrong));
    await record(TEAM, outcome('unborn', 1, wrong));
    expect((await read<SourceView>('/v1/sources/ours')).syncStatus).toMatchObject({
      phase: 'failed',
      nextSyncTime: '2026-11-22T12:35:00.000Z',
    });
    expect((await read<SourceView>('/v1/sources/unborn')).syncStatus).not.toHaveProperty('nextSyncTime');
  });

  it('is syncing from the start of a run until its end is recorded, but not forever', async () => {
    await markPublished('ours', NOON + MINUTE_MS + 1000);
    await record(TEAM, outcome('ours', 5, unreachable('no route to example.com')));
    await catalogue.markSyncing(await catalogue.getSource(TEAM, 'ours'));
    const { syncStatus } = await read<SourceView>('/v1/sources/ours');
    expect(syncStatus).toMatchObject({ phase: 'syncing', serverCount: 3, lastSyncTime: '2026-11-22T12:01:01.000Z' });
    expect(syncStatus).not.toHaveProperty('nextSyncTime');
    expect(Date.parse(String(syncStatus['lastAttempt']))).toBeGreaterThan(NOON);
    await rows.query(`UPDATE source SET syncing_since = now() - interval '2 hours' WHERE name = 'ours'`);
    expect((await read<SourceView>('/v1/sources/ours')).syncStatus).toMatchObject({ phase: 'failed' });
    await catalogue.markSyncing(await catalogue.getSource(TEAM, 'ours'));
    await record(TEAM, outcome('ours', 6, { revision: 'rev-1' }));
    expect((await read<SourceView>('/v1/sources/ours')).syncStatus).toMatchObject({ phase: 'complete' });
  });

  it('shows when its spec was last edited', async () => {
    const theirs = () => read<{ createdAt: string; updatedAt: string }>('/default/other/v1/sources/theirs');
    const made = await theirs();
    await catalogue.adoptPlan(OTHER, null, [plan('theirs')]);
    expect(await theirs()).toEqual(made);
    await catalogue.adoptPlan(OTHER, null, [{ ...plan('theirs'), filter: FILTER }]);
    const edited = await theirs();
    expect(edited).toMatchObject({ createdAt: made.createdAt, filterConfig: FILTER });
    expect(Date.parse(edited.updatedAt)).toBeGreaterThan(Date.parse(made.updatedAt));
  });

  it('is complete although the run that published it could not be recorded', async () => {
    await markPublished('file', NOON);
    expect((await read<SourceView>('/v1/sources/file')).syncStatus).toMatchObject({
      phase: 'complete',
      lastSyncTime: '2026-11-22T12:00:00.000Z',
      serverCount: 3,
    });
  });

  it('is in the order of the spec, the same on both generations of the API', async () => {
    const { registries } = await read<{ registries: SourceView[] }>('/extension/v0/registries');
    expect(registries.map(({ name }) => name)).toEqual(['ours', 'mirror', 'file', 'unborn']);
    expect(await read('/v1/sources')).toEqual({ sources: registries });
    expect(registries[1]).toEqual(await read('/v1/sources/mirror'));
    expect(registries[1]).toMatchObject({
      type: 'REMOTE',
      sourceType: 'api',
      format: 'upstream',
      sourceConfig: { endpoint: 'https://example.com/registry' },
    });
  });
});

describe('a registry', () => {
  it('has its display name and its sources in order', async () => {
    const expected = {
      name: 'team',
      displayName: 'Team registry',
      creationType: 'CONFIG',
      sources: ['ours', 'mirror', 'file', 'unborn'],
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    };
    expect(await read('/v1/registries')).toEqual({ registries: [expected] });
    expect(await read('/v1/registries/team')).toEqual(expected);
  });

  it('is the one in the URL, and shows nothing of the others', async () => {
    expect(await read('/default/other/v1/registries')).toMatchObject({
      registries: [{ name: 'other', sources: ['theirs'] }],
    });
    const { sources } = await read<{ sources: SourceView[] }>('/default/other/v1/sources');
    expect(sources.map(({ name }) => name)).toEqual(['theirs']);
    expect((await fault('/default/other/v1/sources/ours')).status).toBe(404);
    expect((await fault('/default/other/v1/sources/ours/runs')).status).toBe(404);
    expect((await fault('/v1/registries/other')).status).toBe(404);
    expect((await fault('/v1/sources/theirs')).status).toBe(404);
  });

  it('shows nothing before its plan is adopted', async () => {
    expect(await read('/default/absent/v1/registries')).toEqual({ registries: [] });
    expect(await read('/default/absent/v1/sources')).toEqual({ sources: [] });
    expect(await read('/default/absent/extension/v0/registries')).toEqual({ registries: [] });
    expect((await fault('/default/absent/v1/registries/absent')).status).toBe(404);
  });

  it('with a login is private on every view, whatever the token', async () => {
    const paths = [
      ...['/extension/v0/registries', '/v1/registries', '/v1/sources'].flatMap((list) => [list, `${list}/secret`]),
      ...['entries', 'runs', 'quarantine'].map((list) => `/v1/sources/secret/${list}`),
      '/v1/sources/secret/runs?limit=wrong',
    ];
    for (const path of paths) {
      const headers = { authorization: 'Bearer x' };
      expect([path, (await get(`/default/closed${path}`, { headers })).status]).toEqual([path, 401]);
      expect([path, (await fault(`/default/closed${path}`)).status]).toEqual([path, 401]);
    }
  });
});

describe('the entries of a source', () => {
  interface Entries extends Paged {
    entries: { entryType: string; name: string; versions: Record<string, unknown>[] }[];
  }

  const flat = (pages: readonly Entries[]) =>
    pages.flatMap(({ entries }) =>
      entries.flatMap(({ name, versions }) => versions.map(({ version }) => `${name}@${String(version)}`)),
    );

  beforeEach(async () => {
    const before = { title: 'Both', publishedAt: '2026-01-01T00:00:00Z', updatedAt: '2026-02-01T00:00:00Z' };
    await rows.publish('default', 'team', 'ours', [{ name: 'io.example/both', version: '1.0.0' }]);
    await rows.publish('default', 'team', 'file', [
      { name: 'io.example/both', version: '2.0.0', ...before },
      { name: 'io.example/both', version: '10.0.0', status: 'deprecated', hiddenBy: 'tags.exclude: old', ...before },
      { name: 'io.example/gone', version: '1.0.0', deletedAt: '2026-03-01T00:00:00Z' },
      { name: 'io.example/hidden', version: '1.0.0', hiddenBy: 'names.exclude: *hidden' },
      { name: 'io.example/\uff5e', version: '1.0.0' },
      { name: 'io.example/😀', version: '1.0.0' },
    ]);
  });

  it('include those that another source shadows or the filter excludes, with the reason', async () => {
    const { entries, metadata } = await read<Entries>('/v1/sources/file/entries');
    expect(metadata).toEqual({ count: 5 });
    const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-02-01T00:00:00.000Z' };
    const about = { title: 'Both', description: 'About io.example/both', ...times };
    expect(entries[0]).toEqual({
      entryType: 'server',
      name: 'io.example/both',
      versions: [
        { version: '10.0.0', ...about, status: 'deprecated', hiddenBy: 'tags.exclude: old' },
        { version: '2.0.0', ...about, status: 'active' },
      ],
    });
    expect(entries[1]).toMatchObject({ name: 'io.example/hidden', versions: [{ hiddenBy: 'names.exclude: *hidden' }] });
  });

  it('are listed once each and sorted by name, whatever the page size', async () => {
    const whole = flat([await read<Entries>('/v1/sources/file/entries')]);
    expect(whole).toEqual([
      'io.example/both@10.0.0',
      'io.example/both@2.0.0',
      'io.example/hidden@1.0.0',
      'io.example/\uff5e@1.0.0',
      'io.example/😀@1.0.0',
    ]);
    for (const limit of [1, 2, 4, 5, 6, 5000]) {
      expect(flat(await walk<Entries>('/v1/sources/file/entries', limit))).toEqual(whole);
    }
  });

  it('continue after the last one although it no longer exists', async () => {
    const { metadata } = await read<Entries>('/v1/sources/file/entries?limit=3');
    await rows.query(`DELETE FROM entry WHERE name = 'io.example/hidden'`);
    const rest = await read<Entries>(`/v1/sources/file/entries?cursor=${metadata.nextCursor}`);
    expect(flat([rest])).toEqual(['io.example/\uff5e@1.0.0', 'io.example/😀@1.0.0']);
  });

  it('truncate long strings', async () => {
    await rows.publish('default', 'team', 'mirror', [
      { name: 'io.example/long', version: '1', description: '😀'.repeat(100_000), title: 'x'.repeat(100_000) },
    ]);
    const { entries } = await read<Entries>('/v1/sources/mirror/entries');
    expect(entries[0]?.versions[0]).toMatchObject({ description: '😀'.repeat(500), title: 'x'.repeat(500) });
  });
});

describe('the entries of a registry', () => {
  beforeEach(publishBoth);

  interface Entries extends Paged {
    entries: { name: string; version: string; sourceName: string; position: number }[];
  }

  const flat = (pages: readonly Entries[]) =>
    pages.flatMap(({ entries }) =>
      entries.map(({ name, version, sourceName, position }) => `${name}@${version} ${position} ${sourceName}`),
    );

  it('are those of all its sources that no filter excludes, each with its position', async () => {
    const whole = flat([await read<Entries>('/v1/registries/team/entries')]);
    expect(whole).toEqual([
      'io.example/both@1.0.0 0 ours',
      'io.example/both@2.0.0 1 mirror',
      'io.example/both@2.0.0 2 file',
      'io.example/\uff5e@1.0.0 2 file',
      'io.example/😀@1.0.0 2 file',
    ]);
    for (const limit of [1, 2, 4, 5, 6]) {
      expect(flat(await walk<Entries>('/v1/registries/team/entries', limit))).toEqual(whole);
    }
    expect((await fault('/v1/registries/other/entries')).status).toBe(404);
  });
});

describe('registries that a configuration creates from the sources', () => {
  beforeEach(publishBoth);

  it('are listed instead of the whole, which is available under its own name', async () => {
    const views = [
      { name: 'front', sources: ['file', 'ours'] },
      { name: 'back', sources: ['mirror'] },
    ];
    const viewed = await startRegistryApi(
      apiOptions(database.app, [
        { namespace: 'default', name: 'team', views, sources: [], auth: { mode: 'anonymous' } },
      ]),
    );
    try {
      const from = async (path: string) => (await fetch(`${viewed.url}${path}`)).json();
      expect(await from('/v1/registries')).toEqual({
        registries: views.map((view) => ({ ...view, creationType: 'CONFIG', ...TIMES })),
      });
      expect(await from('/v1/registries/front')).toEqual({ ...views[0], creationType: 'CONFIG', ...TIMES });
      expect(await from('/v1/registries/team')).toMatchObject({ sources: ['ours', 'mirror', 'file', 'unborn'] });
      expect(await from('/v1/registries/ours')).toHaveProperty('error');
      expect(await from('/v1/registries/front/entries?limit=2')).toMatchObject({
        entries: [
          { name: 'io.example/both', version: '1.0.0', sourceName: 'ours', position: 1 },
          { name: 'io.example/both', version: '2.0.0', sourceName: 'file', position: 0 },
        ],
        metadata: { count: 2, nextCursor: expect.any(String) },
      });
    } finally {
      await viewed.close();
    }
  });
});

describe('the entries of a source and of a registry', () => {
  interface Entries extends Paged {
    entries: unknown[];
  }

  it('are one list for clients that request no page, up to a thousand', async () => {
    await publishBoth();
    const many = Array.from({ length: 1001 }, (_, at) => ({ name: `io.example/n${at}`, version: '1.0.0' }));
    for (const [count, isLast] of [
      [100, true],
      [1001, false],
    ] as const) {
      await rows.publish('default', 'team', 'file', many.slice(0, count));
      for (const path of ['/v1/sources/file/entries', '/v1/registries/team/entries']) {
        const whole = await read<Entries>(path);
        expect(whole.metadata.count).toBe(isLast ? whole.entries.length : 1000);
        expect(whole.metadata.count).toBeGreaterThanOrEqual(Math.min(count, 1000));
        expect(whole.metadata.nextCursor === undefined).toBe(isLast);
        expect(await read<Entries>(`${path}?cursor=`)).toEqual(whole);
      }
    }
    const first = await read<Entries>('/v1/sources/file/entries?limit=900');
    const next = await read<Entries>(`/v1/sources/file/entries?cursor=${first.metadata.nextCursor}`);
    expect([first.metadata.count, next.metadata.count]).toEqual([900, 30]);
  });
});

describe('the runs of a source', () => {
  interface Runs extends Paged {
    runs: { workflowId: string; failure?: object }[];
  }

  it('are listed newest first, with their results', async () => {
    await record(TEAM, outcome('ours', 1, { trigger: 'initial', revision: 'rev-1', counts: COUNTS, notice: ODD }));
    await record(TEAM, outcome('ours', 2, unreachable('no route to example.com')));
    await record(TEAM, outcome('ours', 3, unreachable('example.com does not answer')));
    const { runs, metadata } = await read<Runs>('/v1/sources/ours/runs');
    expect(metadata).toEqual({ count: 3 });
    expect(runs.map(({ workflowId }) => workflowId.split('/').at(-1))).toEqual(['3', '2', '1']);
    expect(runs[0]).toEqual({
      workflowId: 'runs/team/ours/3',
      url: 'https://temporal.example.com/ui/namespaces/a%2Fb/workflows/runs%2Fteam%2Fours%2F3',
      trigger: 'interval',
      startedAt: '2026-11-22T12:03:00.000Z',
      finishedAt: '2026-11-22T12:03:01.500Z',
      durationMs: 1500,
      failure: { reason: 'Unreachable', message: 'example.com does not answer' },
    });
    expect(runs[2]).toEqual({
      workflowId: 'runs/team/ours/1',
      url: 'https://temporal.example.com/ui/namespaces/a%2Fb/workflows/runs%2Fteam%2Fours%2F1',
      trigger: 'initial',
      revision: 'rev-1',
      startedAt: '2026-11-22T12:01:00.000Z',
      finishedAt: '2026-11-22T12:01:01.500Z',
      durationMs: 1500,
      counts: COUNTS,
      warning: 'odd',
    });
  });

  it('are listed once each, also those that started together, and new ones do not shift the pages', async () => {
    for (const run of [1, 2, 3, 10, 11]) await record(OTHER, outcome('theirs', run, { startedAt: NOON }));
    const { metadata, runs } = await read<Runs>('/default/other/v1/sources/theirs/runs?limit=2');
    await record(OTHER, outcome('theirs', 12));
    const rest = await read<Runs>(`/default/other/v1/sources/theirs/runs?cursor=${metadata.nextCursor}`);
    const ids = [...runs, ...rest.runs].map(({ workflowId }) => workflowId.split('/').at(-1));
    expect(ids.toSorted()).toEqual(['1', '10', '11', '2', '3']);
    for (const limit of [1, 2, 3, 6, 7]) {
      const pages = await walk<Runs>('/default/other/v1/sources/theirs/runs', limit);
      expect(new Set(pages.flatMap((page) => page.runs.map(({ workflowId }) => workflowId))).size).toBe(6);
    }
  });
});

describe('the quarantine of a source', () => {
  interface Quarantine extends Paged {
    quarantine: Record<string, string>[];
  }

  const hold = (...keys: string[]) =>
    rows.query(
      `INSERT INTO quarantined_entry (source_id, key, name, version, path, message)
       SELECT source.id, key, 'io.example/' || left(key, 5), NULL, 'packages[0].identifier', 'must be text'
         FROM source, unnest($1::text[]) AS key WHERE source.name = 'ours'`,
      [keys],
    );
  const keys = (pages: readonly Quarantine[]) => pages.flatMap(({ quarantine }) => quarantine.map(({ key }) => key));

  it('contains the entry and its error, in the order in which it was found', async () => {
    await hold('c', 'a', 'b');
    await rows.query(`INSERT INTO quarantined_entry (source_id, key, path, message)
                      SELECT id, 'd', '', 'is not an object' FROM source WHERE name = 'ours'`);
    const whole = await read<Quarantine>('/v1/sources/ours/quarantine');
    expect(whole).toEqual({
      quarantine: [
        { key: 'c', name: 'io.example/c', path: 'packages[0].identifier', message: 'must be text' },
        { key: 'a', name: 'io.example/a', path: 'packages[0].identifier', message: 'must be text' },
        { key: 'b', name: 'io.example/b', path: 'packages[0].identifier', message: 'must be text' },
        { key: 'd', message: 'is not an object' },
      ],
      metadata: { count: 4 },
    });
    for (const limit of [1, 2, 3, 4, 5]) {
      expect(keys(await walk<Quarantine>('/v1/sources/ours/quarantine', limit))).toEqual(['c', 'a', 'b', 'd']);
    }
  });

  it('omits nothing when a sync replaces it between two pages', async () => {
    await hold('a', 'b', 'c');
    const { metadata } = await read<Quarantine>('/v1/sources/ours/quarantine?limit=2');
    await rows.query('DELETE FROM quarantined_entry');
    await hold('x', 'y');
    expect(keys([await read(`/v1/sources/ours/quarantine?cursor=${metadata.nextCursor}`)])).toEqual(['x', 'y']);
  });

  it('is empty for a source with only valid entries, and truncates long keys', async () => {
    expect(await read('/v1/sources/file/quarantine')).toEqual({ quarantine: [], metadata: { count: 0 } });
    await hold('k'.repeat(1_000_000));
    expect(keys([await read('/v1/sources/ours/quarantine')]).at(-1)).toBe('k'.repeat(1000));
  });
});

describe('an explanation of a name', () => {
  const explain = (name: string, more = '') =>
    read<{ served: unknown; sources: { source: string; verdict: string; versions: object[] }[]; near: string[] }>(
      `/v1/registries/team/explain?name=${encodeURIComponent(name)}${more}`,
    );

  it('has a verdict for each source, in the words of the API', async () => {
    for (const [source, entries] of Object.entries({
      file: [
        { name: 'io.why/both', version: '1.0.0' },
        { name: 'io.why/gone', version: '1.0.0', deletedAt: '2026-03-01T00:00:00Z' },
      ],
      ours: [
        { name: 'io.why/both', version: '2.0.0' },
        { name: 'io.why/hidden', version: '1.0.0', hiddenBy: 'names.exclude: *hidden' },
      ],
    })) {
      for (const { name, version, ...rest } of entries as { name: string; version: string; [key: string]: string }[]) {
        await rows.query(
          `INSERT INTO entry (source_id, name, version, key, hash, server_json, description, hidden_by, deleted_at)
           SELECT id, $2, $3, $2, '\\x01', '{}', '', $4, $5 FROM source WHERE name = $1 AND registry = 'team'`,
          [source, name, version, rest['hiddenBy'] ?? null, rest['deletedAt'] ?? null],
        );
      }
    }
    await rows.query(
      `INSERT INTO quarantined_entry (source_id, key, name, version, path, message)
       SELECT id, 'io.why/broken', 'io.why/broken', '1', 'packages[0]', 'is odd' FROM source WHERE name = 'ours' AND registry = 'team'`,
    );
    await rows.query(`UPDATE source SET generation = generation + 1, synced_at = now() WHERE registry = 'team'`);
    await rows.notify('default', 'team');
    const verdicts = async (name: string) => {
      const { sources } = await explain(name);
      return Object.fromEntries(sources.map(({ source, verdict }) => [source, verdict]));
    };
    const both = await explain('io.why/both');
    const [first, second] = both.sources.filter(({ verdict }) => verdict !== 'absent');
    expect(both.served).toEqual({ source: first?.source, latest: expect.any(String), versions: 1 });
    expect(first).toMatchObject({ verdict: 'served', versions: [{ verdict: 'served', hash: '01' }] });
    expect(second).toMatchObject({ verdict: 'shadowed', by: first?.source });
    expect(await verdicts('io.why/hidden')).toMatchObject({ ours: 'hidden', file: 'absent' });
    expect((await explain('io.why/hidden')).sources).toContainEqual(
      expect.objectContaining({ source: 'ours', by: 'names.exclude: *hidden' }),
    );
    expect((await explain('io.why/gone')).sources).toContainEqual(
      expect.objectContaining({
        source: 'file',
        versions: [expect.objectContaining({ verdict: 'deleted', until: '2026-03-01T00:00:00.000Z' })],
      }),
    );
    expect((await explain('io.why/broken')).sources).toContainEqual(
      expect.objectContaining({
        source: 'ours',
        verdict: 'quarantined',
        versions: [{ version: '1', verdict: 'quarantined', path: 'packages[0]', message: 'is odd' }],
      }),
    );
    // Similar names come from memory, which follows the database.
    await expect.poll(async () => (await explain('io.why/bot')).near[0]).toBe('io.why/both');
    expect((await explain('io.why/bot')).served).toBeNull();
    const [one] = (await explain('io.why/both', '&version=7')).sources;
    expect(one?.versions).toEqual([]);
    expect((await fault('/v1/registries/team/explain')).status).toBe(400);
    expect((await fault('/v1/registries/none/explain?name=a')).status).toBe(404);
  });
});

describe('HTTP', () => {
  const LISTS = [
    '/v1/sources/ours/entries',
    '/v1/sources/ours/runs',
    '/v1/sources/ours/quarantine',
    '/v1/registries/team/entries',
  ];
  const PATHS = ['/extension/v0/registries', '/v1/registries', '/v1/registries/team', '/v1/sources', ...LISTS];

  it('responds to HEAD like to GET, never from a cache, and to every origin', async () => {
    for (const path of PATHS) {
      const [whole, head] = [await get(path), await get(path, { method: 'HEAD' })];
      expect([path, whole.status, head.status]).toEqual([path, 200, 200]);
      expect(whole.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(whole.headers.get('cache-control')).toBe(path.startsWith('/v1/') ? 'private, no-cache' : 'no-store');
      expect(whole.headers.get('access-control-allow-origin')).toBe('*');
      expect(head.headers.get('content-length')).toBe(String((await whole.arrayBuffer()).byteLength));
      expect(await head.text()).toBe('');
    }
  });

  it('returns 304 to a polling client until something has changed', async () => {
    for (const path of PATHS.filter((each) => each.startsWith('/v1/'))) {
      const tag = (await get(path)).headers.get('etag') as string;
      const again = await get(path, { headers: { 'if-none-match': `"other", W/${tag}` } });
      expect([path, again.status, again.headers.get('etag'), await again.text()]).toEqual([path, 304, tag, '']);
      expect(again.headers.get('cache-control')).toBe('private, no-cache');
    }
    const tag = (await get('/v1/sources')).headers.get('etag') as string;
    await rows.query(`UPDATE source SET revision = 'another' WHERE name = 'ours'`);
    const changed = await get('/v1/sources', { headers: { 'if-none-match': tag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(tag);
  });

  it('rejects other methods, and unknown paths', async () => {
    for (const path of PATHS) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const response = await get(path, { method, body: '{not json' });
        expect([path, method, response.status]).toEqual([path, method, 405]);
        expect(await response.json()).toHaveProperty('error');
      }
    }
    for (const path of ['/v1', '/v1/sources/ours/nothing', '/v1/sources/ours/entries/x', '/extension/v0']) {
      expect([path, (await fault(path)).status]).toEqual([path, 404]);
    }
  });

  const cursor = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');
  const FOREIGN = [
    'x',
    'YS9iLDEuMC4w',
    '%00',
    ...[null, 0.5, -1, 1e300, '1', true, {}, [], ['a', 'b'], { name: 'a' }, { name: 'a', version: 1 }].map(cursor),
    ...[
      { name: 'a\0', version: '1' },
      { name: '\ud800', version: '1' },
      { name: 'a', version: '1', x: 1 },
    ].map(cursor),
    ...['2026-02-30T00:00:00Z', 'infinity', '2026-11-22', '+275760-09-13T00:00:00Z', '', 0].map((startedAt) =>
      cursor({ startedAt, workflowId: 'a' }),
    ),
    cursor({ startedAt: '2026-11-22T00:00:00Z', workflowId: '\0' }),
  ];

  it.each(LISTS)('accepts only valid cursors and limits at %s', async (path) => {
    const odd = [
      ...['0', '-1', '5abc', '1e2', '1.5', '1&limit=2'].map((value) => `limit=${value}`),
      ...FOREIGN.map((value) => `cursor=${value}`),
      'cursor=a&cursor=b',
      'cursor[]=a',
      'cursor=%zz',
      'limit[]=1',
      'unknown=%ff',
      '%ff=1',
    ];
    for (const query of odd) expect([query, (await fault(`${path}?${query}`)).status]).toEqual([query, 400]);
    const { error } = await fault(`${path}?limit=0&cursor=x`);
    expect(error).toMatch(/limit must be/);
    expect(error).toMatch(/cursor was not issued/);
    expect((await get(`${path}?limit=99999999999999999999&cursor=&colour=red`)).status).toBe(200);
    expect((await get(`${path}?cursor=${cursor({ startedAt: '0000-01-01T00:00:00Z', workflowId: '' })}`)).status).toBe(
      path.endsWith('runs') ? 200 : 400,
    );
  });

  it('does not accept the cursor of another list', async () => {
    for (const run of [1, 2]) await record(TEAM, outcome('ours', run));
    const { metadata } = await read<Paged>('/v1/sources/ours/runs?limit=1');
    expect((await fault(`/v1/sources/ours/entries?cursor=${metadata.nextCursor}`)).status).toBe(400);
    expect((await fault(`/v1/sources/ours/quarantine?cursor=${metadata.nextCursor}`)).status).toBe(400);
  });

  it('responds with 404 to unknown names, and with 400 to those that cannot be decoded', async () => {
    const odd = [
      'nobody',
      'OURS',
      '%00',
      'a%00b',
      '..%2F..',
      "'%20OR%201=1--",
      '__proto__',
      '%F0%9F%98%80',
      '1',
      '%20',
    ];
    for (const list of ['/extension/v0/registries', '/v1/registries', '/v1/sources']) {
      for (const name of odd) {
        expect([list, name, (await fault(`${list}/${name}`)).status]).toEqual([list, name, 404]);
        const nested = await fault(`/v1/sources/${name}/entries`);
        expect([name, nested.status]).toEqual([name, 404]);
      }
      for (const name of ['%', '%zz', '%FF', '%ED%A0%80', '%C0%AF']) {
        expect([list, name, (await fault(`${list}/${name}`)).status]).toEqual([list, name, 400]);
      }
    }
  });
});

describe('without a database', () => {
  it('responds with 503 and Retry-After', async () => {
    const nowhere = await startRegistryApi({
      database: { ...database.app, database: 'no_such_database' },
      host: '127.0.0.1',
      port: 0,
      internalPort: 0,
      registries: {
        find: () => undefined,
        default: () => ({ ...TEAM, sources: [], auth: { mode: 'anonymous' } }),
        all: () => [],
      },
      ...ALONE,
      version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-22' },
      logger: pino({ level: 'silent' }),
    });
    try {
      for (const path of ['/extension/v0/registries', '/v1/registries', '/v1/sources/ours/runs']) {
        const response = await fetch(`${nowhere.url}${path}`);
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBe('2');
        expect(await response.json()).toEqual({ error: expect.stringMatching(/database does not respond/) });
      }
    } finally {
      await nowhere.close();
    }
  });

  it('responds again once the database is available', async () => {
    await rows.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'mcp-registry-views' AND datname = current_database()`,
    );
    await expect.poll(async () => (await get('/v1/sources')).status).toBe(200);
  });
});
