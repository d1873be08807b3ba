import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportFormats } from '#exports/index.js';
import type { ExportFormat } from '#exports/export-format.js';
import { DEFAULT_OPTIONS } from '#exports/export-options.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { ByteBudget } from '#registry-api/byte-budget.js';
import { ExportRenderer } from '#registry-api/exports/export-renderer.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi, RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { ThreadTooSlow } from '#subprocess/thread-pool.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { apiOptions } from '#support/api-options.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { oauth } from '#support/oauth-spec.js';

const OPEN: ServedRegistry = {
  namespace: 'default',
  name: 'team',
  sources: ['ours', 'hidden', 'exports'],
  auth: { mode: 'anonymous' },
};
const PARTLY: ServedRegistry = {
  ...OPEN,
  auth: oauth({
    publicRead: [],
    oauth: { providers: [{ name: 'p', issuerUrl: 'https://issuer.example.com', audience: 'a' }] },
  }),
};

let database: TestDatabase;
let rows: CatalogueRows;
let api: RegistryApi;
let partly: RegistryApi;

const server = (name: string, rest: object = {}): EntryRow => ({
  name,
  version: '1.0.0',
  serverJson: JSON.stringify({ name, version: '1.0.0', description: `What ${name} is. `.repeat(40), ...rest }),
});
const remote = (url: string) => ({ remotes: [{ type: 'streamable-http', url }] });

const OURS = [
  server('com.example/weather', remote('https://weather.example/mcp')),
  server('com.a.b/c', remote('https://c.example/mcp')),
  server('com.example/none'),
];

const start = (served: ServedRegistry, options: Partial<RegistryApiOptions> = {}) =>
  startRegistryApi(apiOptions(database.app, [served], options));

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  await publishTeam('team');
  api = await start(OPEN);
  partly = await start({ ...PARTLY, auth: { ...PARTLY.auth, publicRead: ['ours'] } as ServedRegistry['auth'] });
  await Promise.all([api.catalogue.nextChange(), partly.catalogue.nextChange()]);
});

afterAll(async () => {
  await api?.close();
  await partly?.close();
  await rows?.end();
  await database?.drop();
});

/** Stores the sources of a registry with their entries. */
async function publishTeam(registry: string): Promise<void> {
  await rows.addRegistry('default', registry);
  for (const [position, name] of ['ours', 'hidden', 'exports'].entries()) {
    await rows.addSource('default', registry, name, position);
  }
  await rows.publish('default', registry, 'ours', OURS);
  await rows.publish('default', registry, 'hidden', [server('com.a/b-c', remote('https://hidden.example/mcp'))]);
  await rows.publish('default', registry, 'exports', []);
}

const get = (path: string, headers: Record<string, string> = {}, base = api) =>
  fetch(`${base.url}${path}`, { headers });

describe('the exports of a registry', () => {
  it('are listed, each with an address that answers, with and without its extension', async () => {
    const response = await get('/registry/team/exports');
    const index = (await response.json()) as { entries: number; formats: { id: string; url: string; file: string }[] };
    expect(index.entries).toBe(4);
    expect(index.formats.map(({ id }) => id)).toEqual(exportFormats.map(({ id }) => id));
    for (const { id, url, file } of index.formats) {
      expect(url).toBe(`/registry/team/exports/${id}`);
      const format = exportFormats.find((each) => each.id === id) as ExportFormat;
      const extension = format.mediaType.split('/')[1];
      const [plain, named] = await Promise.all([get(url), get(`${url}.${extension}`)]);
      expect((await get(`${url}.${extension}.${extension}`)).status).toBe(404);
      expect([id, plain.status, named.status]).toEqual([id, 200, 200]);
      expect(plain.headers.get('content-type')).toBe(`${format.mediaType}; charset=utf-8`);
      expect(plain.headers.get('content-disposition')).toBe(`inline; filename="${file}"`);
      expect(plain.headers.get('x-catalogue-revision')).toBe(response.headers.get('x-catalogue-revision'));
      const text = await plain.text();
      format.check(text);
      expect(await named.text()).toBe(text);
      const report = await get(new URL(/<(.+)>/.exec(plain.headers.get('link') as string)![1]!, api.url).pathname);
      const { entries } = (await report.json()) as { entries: { status: string }[] };
      expect(String(entries.filter(({ status }) => status === 'omitted').length)).toBe(
        plain.headers.get('x-export-omitted'),
      );
    }
  });

  it('are listed with their counts as soon as these are known', async () => {
    const list = async () => {
      const response = await get('/registry/exports/exports');
      return ((await response.json()) as { formats: { id: string; served?: number; omitted?: number }[] }).formats;
    };
    const known = async () => (await list()).filter(({ served }) => served !== undefined);
    expect(await known()).toEqual([]);
    await rows.publish('default', 'team', 'exports', [OURS[0]!, OURS[2]!]);
    await api.catalogue.nextChange();
    expect((await get('/registry/exports/exports/cursor?names=*none')).status).toBe(200);
    expect(await known()).toEqual([]);
    expect((await get('/registry/exports/exports/cursor')).status).toBe(200);
    expect(await known()).toMatchObject([{ id: 'cursor', served: 1, omitted: 1 }]);
    await rows.publish('default', 'team', 'exports', []);
    await api.catalogue.nextChange();
    expect(await known()).toEqual([]);
  });

  it('are of the whole registry, of a source, and of one that is called exports', async () => {
    const names = async (path: string) =>
      ((await (await get(path)).json()) as { data: { servers: { name: string }[] } }).data.servers.map(
        ({ name }) => name,
      );
    expect(await names('/registry/exports/upstream.json')).toHaveLength(4);
    expect(await names('/registry/ours/exports/upstream')).toEqual([
      'com.a.b/c',
      'com.example/none',
      'com.example/weather',
    ]);
    expect(await names('/registry/exports/exports/upstream')).toEqual([]);
    expect(await (await get('/registry/exports/exports')).json()).toMatchObject({ registry: 'exports', entries: 0 });
  });

  it('have a tag that a client may ask by, and that parameters change', async () => {
    const path = '/registry/team/exports/upstream';
    for (const encoding of ['identity', 'gzip', 'br']) {
      const first = await get(path, { 'accept-encoding': encoding });
      expect(first.headers.get('content-encoding')).toBe(encoding === 'identity' ? null : encoding);
      expect(first.headers.get('cache-control')).toBe('public, no-cache');
      const tag = first.headers.get('etag') as string;
      const again = await get(path, { 'if-none-match': `W/${tag}` });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, tag, '']);
      expect(again.headers.get('x-catalogue-revision')).toBe(first.headers.get('x-catalogue-revision'));
      expect((await get(`${path}?prefer=package`, { 'if-none-match': tag })).status).toBe(200);
      expect((await get(`${path}?prefer=remote&download=true`, { 'if-none-match': tag })).status).toBe(304);
      expect((await get(`${path}/report`, { 'if-none-match': tag })).status).toBe(200);
    }
    const head = await fetch(`${api.url}${path}`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('are narrowed by name, and keep the keys of the whole', async () => {
    const keys = async (query: string) => {
      const file = (await (await get(`/registry/team/exports/mcp-json${query}`)).json()) as { mcpServers: object };
      return Object.keys(file.mcpServers);
    };
    const all = await keys('');
    expect(all).toHaveLength(3);
    const [own] = await keys('?names=com.a.b/*');
    expect(own).toMatch(/^a-b-c-[0-9a-f]{6}$/);
    expect(all).toContain(own);
    expect(await keys('?names=com.example/*,none')).toEqual(['example-weather']);
  });

  it('are refused with every fault, the nearest format, or the type that there is', async () => {
    const faults = await get('/registry/team/exports/mcp-json?prefer=x&env=y&names=[');
    expect(faults.status).toBe(400);
    const { error } = (await faults.json()) as { error: string };
    for (const name of ['prefer', 'env', 'names']) expect(error).toContain(name);
    const missing = await get('/registry/team/exports/mcp-jso');
    expect([missing.status, await missing.text()]).toEqual([404, expect.stringContaining('did you mean mcp-json?')]);
    expect((await get('/registry/team/exports/mcp-json.toml')).status).toBe(404);
    expect((await get('/registry/nothing/exports/mcp-json')).status).toBe(404);
    expect((await get('/registry/team/exports/codex', { accept: 'application/json' })).status).toBe(406);
    const text = await get('/registry/team/exports/codex', { accept: 'text/plain' });
    expect([text.status, text.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
    const refused = await fetch(`${api.url}/registry/team/exports/mcp-json`, { method: 'DELETE' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, expect.stringContaining('GET')]);
    expect((await get('/registry/exports/gemini-allowlist?names=nothing')).status).toBe(422);
  });

  it('show no caller more than the list does, in no byte', async () => {
    const path = '/registry/exports/mcp-json';
    const open = await get(path, {}, partly);
    expect(open.headers.get('cache-control')).toBe('private, no-cache');
    const text = await open.text();
    expect(Object.keys(JSON.parse(text).mcpServers)).toEqual(['a-b-c', 'example-weather']);
    expect(text).not.toContain('hidden');
    expect(await (await get(`${path}/report`, {}, partly)).text()).not.toContain('b-c-');
    expect((await get('/registry/hidden/exports/mcp-json', {}, partly)).status).toBe(401);
    expect((await get('/registry/exports/copilot-managed-settings?deny=hidden', {}, partly)).status).toBe(404);
  });

  it('do not reveal which views exist that the caller may not read', async () => {
    const views = [
      { name: 'public', sources: ['ours'] },
      { name: 'inner', sources: ['ours', 'hidden'] },
    ];
    const auth = { ...PARTLY.auth, publicRead: ['public'] } as ServedRegistry['auth'];
    const viewed = await start({ ...PARTLY, views, auth });
    try {
      await viewed.catalogue.nextChange();
      const path = '/registry/public/exports/copilot-managed-settings';
      expect((await get(path, {}, viewed)).status).toBe(200);
      const answers = ['inner', 'nothing'].map(async (name) => {
        const answer = await get(`${path}?deny=${name}`, {}, viewed);
        return [answer.status, (await answer.text()).replaceAll(name, 'NAME')];
      });
      const [inner, nothing] = await Promise.all(answers);
      expect(inner).toEqual(nothing);
      expect(inner?.[0]).toBe(404);
    } finally {
      await viewed.close();
    }
  });

  it('have a revision that does not show changes of sources that the caller may not see', async () => {
    const path = '/registry/exports/mcp-json';
    const revisionOf = async (from: RegistryApi) =>
      (await get(path, {}, from)).headers.get('x-catalogue-revision') as string;
    const before = [await revisionOf(api), await revisionOf(partly)];
    const loaded = Promise.all([api.catalogue.nextChange(), partly.catalogue.nextChange()]);
    await rows.query(
      `UPDATE source SET generation = generation + 1 WHERE namespace = 'default' AND registry = 'team' AND name = 'hidden'`,
    );
    await rows.notify('default', 'team');
    await loaded;
    expect([await revisionOf(api), await revisionOf(partly)]).toEqual([String(Number(before[0]) + 1), before[1]]);
  });

  it('deny what another source holds', async () => {
    const policy = await get('/registry/ours/exports/copilot-managed-settings?deny=hidden');
    expect(await policy.json()).toMatchObject({
      allowedMcpServers: [{ serverUrl: 'https://c.example/mcp' }, { serverUrl: 'https://weather.example/mcp' }],
      deniedMcpServers: [
        { serverUrl: 'https://hidden.example/mcp' },
        { serverName: 'com.a/b-c' },
        { serverName: 'a-b-c' },
      ],
    });
  });

  it('serve the last good text of a format that fails, and 503 where there is none', async () => {
    await publishTeam('broken');
    const broken = await start(
      { ...OPEN, name: 'broken' },
      { exportRenderer: { entry: new URL('../support/broken-vscode.thread.ts', import.meta.url) } },
    );
    await broken.catalogue.nextChange();
    const ask = (path: string) => get(`/registry/ours/exports/${path}`, {}, broken);
    try {
      const good = await ask('vscode');
      const before = await good.text();
      const changed = broken.catalogue.nextChange();
      await rows.publish('default', 'broken', 'ours', [
        ...OURS,
        server('com.example/new', remote('https://new.example/')),
      ]);
      await changed;
      await expect
        .poll(async () => (await ask('vscode')).headers.get('x-export-stale'))
        .toBe(good.headers.get('x-catalogue-revision'));
      const stale = await ask('vscode');
      expect([stale.status, stale.headers.get('etag'), await stale.text()]).toEqual([
        200,
        good.headers.get('etag'),
        before,
      ]);
      expect(await (await ask('vscode/report')).json()).toHaveProperty('failure.message');
      const nothing = await ask('vscode?prefer=package');
      expect([nothing.status, nothing.headers.get('retry-after')]).toEqual([503, '30']);
      expect((await ask('cursor')).status).toBe(200);
      const metrics = await (await fetch(`${broken.internalUrl}/metrics`)).text();
      expect(metrics).toMatch(/^thv_reg_srv_export_failures_total\{format="vscode"\} [1-9]/m);
    } finally {
      await broken.close();
    }
    expect((await get('/registry/ours/exports/vscode')).headers.get('x-export-stale')).toBeNull();
  });

  it('are held back, as lists are, until every source was synced', async () => {
    await publishTeam('late');
    await rows.query(`UPDATE source SET synced_at = NULL WHERE name = 'hidden' AND registry = 'late'`);
    const late = await start({ ...OPEN, name: 'late' });
    try {
      await late.catalogue.nextChange();
      const policy = await get('/registry/exports/copilot-managed-settings', {}, late);
      expect([policy.status, policy.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
      expect((await get('/registry/ours/exports/copilot-managed-settings', {}, late)).status).toBe(200);
    } finally {
      await late.close();
    }
  });
});

describe('an export of many servers', () => {
  const LARGE: ServedRegistry = { ...OPEN, name: 'large', sources: ['many'] };
  const COUNT = 10_001;
  let large: RegistryApi;

  beforeAll(async () => {
    await rows.addRegistry('default', 'large');
    await rows.addSource('default', 'large', 'many');
    const many = Array.from({ length: COUNT }, (_, number) => {
      const name = `com.example${number % 7}/server-${String(number).padStart(5, '0')}`;
      const serverJson = JSON.stringify({ name, version: '1.0.0', ...remote(`https://${number}.example/mcp`) });
      return { name, version: '1.0.0', tags: number % 20 === 0 ? ['some'] : [], serverJson };
    });
    await rows.publish('default', 'large', 'many', many);
    large = await start(LARGE);
    await large.catalogue.nextChange();
  });

  afterAll(() => large?.close());

  it('blocks no other request while it is rendered', async () => {
    const rendered = new AbortController();
    const rendering = get('/registry/exports/continue?names=*-0*', {}, large).finally(() => rendered.abort());
    let answers = 0;
    while (!rendered.signal.aborted) {
      const answer = await get('/v0.1/servers?limit=1', {}, large);
      expect(answer.status).toBe(200);
      await answer.arrayBuffer();
      answers++;
    }
    const text = await (await rendering).text();
    expect(text.match(/^ +- \{"name":/gm)).toHaveLength(COUNT - 1);
    // If the export were rendered in one piece on the event loop, there would be room only for a response between two
    // pages that are read.
    expect(answers).toBeGreaterThan(20);
  });

  it('is refused when it has more servers than a file holds, whether they are counted or read', async () => {
    for (const query of ['', '?names=*', '?names=com.*,*&deprecated=false']) {
      const refused = await get(`/registry/exports/mcp-json${query}`, {}, large);
      expect([query, refused.status]).toEqual([query, 422]);
      expect(await refused.json()).toEqual({ error: expect.stringContaining('10000') as unknown });
    }
    const all = await get('/registry/exports/mcp-json?names=*-0*', {}, large);
    const { mcpServers } = (await all.json()) as { mcpServers: object };
    expect(Object.keys(mcpServers)).toHaveLength(COUNT - 1);
  });

  it('is 503 while its bytes are not free, and says what helps when they never are', async () => {
    const small = await start(LARGE, { answerMemoryBytes: 12 * 1024 * 1024 });
    try {
      await small.catalogue.nextChange();
      const refused = await get('/registry/exports/mcp-json?names=*-00001', {}, small);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
      expect(await refused.text()).toMatch(/raise the memory limit/);
      expect((await get('/v0.1/servers?limit=1', {}, small)).status).toBe(200);
    } finally {
      await small.close();
    }
  });

  it('is given up at its deadline or if the entries cannot be read, and the next one is rendered', async () => {
    const reader = large.catalogue.reader({ namespace: 'default', registry: 'large' });
    const input = { reader, selection: {}, denied: undefined };
    const request = {
      format: 'continue',
      names: ['*-00*'],
      options: DEFAULT_OPTIONS,
      maxEntries: COUNT,
      maxBytes: 1024 * 1024,
    };
    const memory = new ByteBudget(64 * 1024 * 1024);
    await using hasty = new ExportRenderer(memory, { deadlineMs: 1 });
    await expect(hasty.render(request, input)).rejects.toThrow(ThreadTooSlow);
    await using patient = new ExportRenderer(memory);
    expect(await patient.render(request, input)).toMatchObject({ kind: 'rendered', omitted: 0 });
    expect(await patient.render({ ...request, maxEntries: 10 }, input)).toMatchObject({ kind: 'refused' });
    const failing = { ...input, reader: withoutPages(reader, new Error('the database is away')) };
    await expect(patient.render(request, failing)).rejects.toThrow('the database is away');
    expect(await patient.render(request, input)).toMatchObject({ kind: 'rendered' });
    expect(memory.usedBytes).toBe(0);
  });
});

/** Returns the reader, whose lists cannot be read. */
function withoutPages(reader: CatalogueReader, error: Error): CatalogueReader {
  return {
    tag: reader.tag,
    changedAtMs: reader.changedAtMs,
    list() {
      throw error;
    },
    count: (filter) => reader.count(filter),
    names: (filter) => reader.names(filter),
    facets: (filter) => reader.facets(filter),
    find: (filter, text) => reader.find(filter, text),
    versions: (name, includeDeleted) => reader.versions(name, includeDeleted),
    version: (name, version, includeDeleted) => reader.version(name, version, includeDeleted),
  };
}
