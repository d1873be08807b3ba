import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { eventually } from '#support/eventually.js';
import { AUDIENCE, createKey, OidcProvider } from '#support/oidc-provider.js';
import { RegistryWorld } from '#support/registry-world.js';
import { manifestOf } from '#support/standalone-process.js';

let provider: OidcProvider;
let world: RegistryWorld;
let api: RegistryApi;

beforeAll(async () => {
  provider = await OidcProvider.start([await createKey('ES256')]);
  const providers = [{ name: 'idp', issuerUrl: provider.issuer, audience: AUDIENCE, allowPrivateIP: true }];
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: manifestOf({
      apiVersion: 'toolhive.stacklok.dev/v1alpha1',
      kind: 'MCPRegistry',
      metadata: { name: 'team', namespace: 'default' },
      spec: {
        auth: { mode: 'oauth', oauth: { providers } },
        registries: [{ name: 'ours', managed: { writers: 'everyone' } }],
        databaseConfig: {
          host: 'postgres',
          dbAppUserPasswordSecretRef: { name: 'database', key: 'app' },
          dbMigrationUserPasswordSecretRef: { name: 'database', key: 'migrator' },
        },
      },
    }),
  });
  api = await world.serve();
  await world.nthRun('ours', 1);
});

afterAll(async () => {
  await world?.stop();
  await provider?.[Symbol.asyncDispose]();
});

async function send(method: string, path: string, body?: object): Promise<number> {
  const response = await fetch(`${api.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await provider.sign()}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return response.status;
}

it('the status of a registry counts published and deleted entries, and no caller waits for that', async () => {
  for (const version of ['1.0.0', '1.1.0']) {
    const server = { name: 'io.example/one', version, description: 'Published here' };
    expect(await send('POST', '/registry/ours/v0.1/publish', server)).toBe(201);
  }
  await world.source('ours', ({ serverCount }) => serverCount === 2);
  expect(await send('DELETE', '/registry/ours/v0.1/servers/io.example%2Fone/versions/1.0.0')).toBe(200);
  await world.source('ours', ({ serverCount, running }) => serverCount === 1 && !running);
  // The workflow learns about a run a moment before the run is recorded here.
  await eventually(() => world.runs.length > 1 || undefined);
  // A new source is synced anyway, so skip its run. The others were triggered by the change.
  expect(new Set(world.runs.slice(1).map(({ outcome }) => outcome.trigger))).toEqual(new Set(['change']));
});
