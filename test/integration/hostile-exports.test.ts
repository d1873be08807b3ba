import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import { exportFormats } from '#exports/index.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { apiOptions } from '#support/api-options.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

/** One source of several is hostile: its entries are as large as an import allows. */
const SERVED: ServedRegistry = {
  namespace: 'default',
  name: 'team',
  sources: ['ours', 'remotes', 'texts'],
  auth: { mode: 'anonymous' },
};
const POLICIES = ['copilot-managed-settings', 'claude-managed-settings', 'vscode-policy'];
const COUNT = 16;

let database: TestDatabase;
let rows: CatalogueRows;
let api: RegistryApi;

const server = (name: string, rest: object): EntryRow => ({
  name,
  version: '1.0.0',
  serverJson: JSON.stringify({ name, version: '1.0.0', description: 'What it is.', ...rest }),
});
const remotes = (...urls: string[]) => ({ remotes: urls.map((url) => ({ type: 'streamable-http', url })) });
const numbers = Array.from({ length: COUNT }, (_, number) => number);

/** An entry that every format can express. */
const WEATHER = server('com.example/weather', {
  packages: [
    { registryType: 'npm', identifier: '@example/weather', version: '1.0.0', transport: { type: 'stdio' } },
    { registryType: 'oci', identifier: 'ghcr.io/example/weather:1.0.0', transport: { type: 'stdio' } },
  ],
  ...remotes('https://weather.example/mcp'),
  _meta: {
    [PUBLISHER_PROVIDED]: { 'io.github.stacklok': { 'ghcr.io/example/weather:1.0.0': { tools: ['forecast'] } } },
  },
});

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  await rows.addRegistry('default', 'team');
  for (const [position, name] of SERVED.sources.entries()) await rows.addSource('default', 'team', name, position);
  await rows.publish('default', 'team', 'ours', [
    WEATHER,
    server('com.example/root', remotes('https://root.example/')),
    server('com.example/twin', remotes('https://twin.example/mcp')),
  ]);
  await rows.publish(
    'default',
    'team',
    'remotes',
    numbers.map((number) => {
      const many = Array.from({ length: 14_000 }, (_, each) => `https://${number}.example/${each}`);
      return server(`com.hostile/remotes-${number}`, remotes(...many, 'https://root.example/any'));
    }),
  );
  await rows.publish(
    'default',
    'team',
    'texts',
    numbers.map((number) =>
      server(`com.hostile/texts-${number}`, {
        title: 'x'.repeat(1_000_000),
        ...remotes(`https://texts.example/${number}`, 'https://twin.example/mcp'),
      }),
    ),
  );
  await rows.query('UPDATE source SET synced_at = now()');
  // The smallest heap that a pod gives to the thread. The hostile entries would take more.
  api = await startRegistryApi(apiOptions(database.app, [SERVED], { exportRenderer: { memoryMiB: 96 } }));
  await api.catalogue.nextChange();
});

afterAll(async () => {
  await api?.close();
  await rows?.end();
  await database?.drop();
});

interface Report {
  readonly entries: readonly { readonly name: string; readonly status: string; readonly reason?: string }[];
}

const get = (path: string) => fetch(`${api.url}/registry/exports/${path}`);
const reportOf = async (format: string, query = '') =>
  new Map(
    ((await (await get(`${format}/report${query}`)).json()) as Report).entries.map(({ name, reason = 'none' }) => [
      name,
      reason,
    ]),
  );

describe.each(exportFormats)('the export $id of a registry with a hostile source', (format) => {
  const { id, purpose } = format;

  it('omits its entries as too large, and contains the others', async () => {
    const response = await get(id);
    const text = await response.text();
    expect([response.status, text.slice(0, 300)]).toEqual([200, expect.anything()]);
    format.check(text);
    expect(text).toContain('weather');
    const report = await reportOf(id);
    expect(report.get('com.example/weather')).toBe('none');
    for (const number of numbers) {
      expect(report.get(`com.hostile/remotes-${number}`)).toBe('too-large');
      // A policy does not use the long text.
      if (purpose !== 'policy') expect(report.get(`com.hostile/texts-${number}`)).toBe('too-large');
    }
  });

  it('contains the servers of the others when it selects only them', async () => {
    const response = await get(`${id}?names=com.example/*`);
    expect([response.status, (await response.text()).includes('weather')]).toEqual([200, true]);
    expect([...(await reportOf(id, '?names=com.example/*')).keys()]).toEqual([
      'com.example/root',
      'com.example/twin',
      'com.example/weather',
    ]);
  });

  it('denies the entries of the hostile source, and their twins', async () => {
    const query = '?names=com.example/*&deny=texts';
    const response = await get(`${id}${query}`);
    const text = await response.text();
    expect([response.status, text.includes('weather')]).toEqual([200, true]);
    const report = await reportOf(id, query);
    expect([report.get('com.example/weather'), report.get('com.example/twin')]).toEqual(['none', 'denied']);
    if (!POLICIES.includes(id)) return;
    for (const number of numbers) {
      expect(text).toContain(`"com.hostile/texts-${number}"`);
      expect(text).toContain(`"https://texts.example/${number}"`);
    }
  });

  it('is refused if its deny rules do not fit into a file, and never without them', async () => {
    const response = await get(`${id}?names=com.example/*&deny=remotes`);
    const text = await response.text();
    expect(response.status).toBe(POLICIES.includes(id) ? 422 : 200);
    if (response.status === 422) expect(text).toMatch(/select fewer/);
  });
});

it('takes the URLs of entries that are too large into account', async () => {
  const { entries } = (await (await get('copilot-managed-settings/report')).json()) as {
    entries: { name: string; ways: { reason?: string; notes?: string[] }[] }[];
  };
  const policies = await Promise.all(POLICIES.map((id) => reportOf(id)));
  expect(policies.map((report) => report.get('com.example/root'))).toContain('same-origin');
  expect(entries.find(({ name }) => name === 'com.example/twin')?.ways).toMatchObject([{ notes: ['same-command-as'] }]);
});
