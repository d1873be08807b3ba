import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { apiOptions } from '#support/api-options.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';

/**
 * Path of `conformance/bin/conformance-test` in a checkout of github.com/ards-project/ard-spec. It requires Python 3.9.
 */
const tool = process.env['ARD_CONFORMANCE'];

describe.skipIf(!tool)('the conformance tool of Agentic Resource Discovery finds no error', () => {
  let database: TestDatabase;
  let rows: CatalogueRows;
  let provider: OidcProvider;
  let api: RegistryApi;

  beforeAll(async () => {
    [database, provider] = await Promise.all([
      createTestDatabase(),
      createKey('ES256').then((key) => OidcProvider.start([key])),
    ]);
    rows = await CatalogueRows.connect(database.app);
    const providers = [{ name: 'p', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }];
    const shared = { namespace: 'default', sources: ['ours'] };
    const registries: ServedRegistry[] = [
      { ...shared, name: 'open', auth: { mode: 'anonymous' } },
      { ...shared, name: 'closed', auth: oauth({ oauth: { providers } }) },
    ];
    for (const { name } of registries) {
      await rows.addRegistry('default', name);
      await rows.addSource('default', name, 'ours');
      await rows.publish('default', name, 'ours', [
        { name: 'com.example/weather', version: '1.0.0', title: 'Weather', tags: ['forecast'] },
        { name: 'com.example/forecast', version: '2.0.0', description: 'Weather forecast', status: 'deprecated' },
      ]);
    }
    api = await startRegistryApi(apiOptions(database.app, registries));
    await api.catalogue.nextChange();
  });

  afterAll(async () => {
    await api?.close();
    await provider?.[Symbol.asyncDispose]();
    await rows?.end();
    await database?.drop();
  });

  it.each(['', '/registry/ours', '/default/open', '/default/open/registry/ours', '/default/closed'])(
    'in the manifest of %j',
    async (base) => expect(await run('manifest', `${api.url}${base}/.well-known/ard.json`)).toContain('PASS'),
  );

  it.each(['', '/registry/ours', '/default/open'])('in the registry at %j', async (base) => {
    const report = await run('registry', `${api.url}${base}`);
    expect(report).toContain('PASS');
    expect(report).toContain('(2 items)');
  });

  it('in a registry that wants a login', async () => {
    const authorization = `Authorization: Bearer ${await provider.issue('ES256')}`;
    expect(await run('registry', `${api.url}/default/closed`, '--header', authorization)).toContain('PASS');
    expect(await run('registry', `${api.url}/default/closed`)).toContain('FAIL');
  });
});

/** Runs the tool and returns its report. */
function run(...args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile('python3', [tool as string, ...args], (_error, stdout, stderr) => resolve(`${stdout}${stderr}`));
  });
}
