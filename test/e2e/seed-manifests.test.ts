import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fixturePath } from '#support/optional-fixture.js';
import { apply, deleteNamespaces, ensureNamespace, kubectl, until } from './support/cluster.js';
import { fetchInPod } from './support/client-pod.js';
import { awaitReady, awaitStatus, condition, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';
import { startClusterPostgres } from './support/cluster-postgres.js';
import { upstreamCatalogue, writeToClaim } from './support/sources.js';

const MANIFESTS = fixturePath('seed-manifests');
const OPERATOR_NAMESPACE = 'toolhive-system';
const created: string[] = [];

/** Applies a file without changes. If the file contains a namespace, kubectl refuses any other. */
async function applyManifest(number: string, namespace: string): Promise<void> {
  const file = readdirSync(MANIFESTS!).find((name) => name.startsWith(number));
  const text = readFileSync(join(MANIFESTS!, file!), 'utf8');
  await ensureNamespace(namespace);
  if (namespace !== OPERATOR_NAMESPACE) created.push(namespace);
  await apply(text, namespace);
}

describe.skipIf(MANIFESTS === undefined)('the manifests of the documentation, unchanged', () => {
  const catalogueSize = inject('catalogueSize');
  const minimal: DeployedRegistry = { namespace: 'my-namespace', name: 'my-registry' };

  beforeAll(() => applyManifest('01', minimal.namespace));
  afterAll(() => deleteNamespaces(created));

  it('01 serves a git repository', async () => {
    await awaitReady(minimal);
    expect((await servers(minimal, 'toolhive')).servers).toHaveLength(catalogueSize);
  });

  it('02 serves a git repository in a namespace of its own', async () => {
    await applyManifest('02', 'e2e-git');
    const registry = { namespace: 'e2e-git', name: 'git-registry' };
    await awaitReady(registry);
    expect((await servers(registry, 'toolhive')).servers).toHaveLength(catalogueSize);
  });

  it('03 waits for the ConfigMap that it names, and serves it as soon as it is there', async () => {
    await applyManifest('03', 'e2e-configmap');
    const registry = { namespace: 'e2e-configmap', name: 'configmap-registry' };
    const waiting = await awaitStatus(registry, 'names what is missing', (status) =>
      (condition(status, 'SourceAvailable')?.message ?? '').includes('registry-data'),
    );
    expect(waiting.phase).toBe('Pending');
    expect(condition(waiting, 'SourceAvailable')).toMatchObject({ status: 'False', reason: 'ConfigMapNotFound' });

    const data = { 'registry.json': upstreamCatalogue(['com.example/one', 'com.example/two']) };
    await apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'registry-data' }, data }], 'e2e-configmap');
    await awaitReady(registry);
    const list = await servers(registry, 'local');
    expect(list.servers.map(({ server }) => server.name)).toEqual(['com.example/one', 'com.example/two']);
  });

  it('04 waits for the claim that it names, and serves the file on it', async () => {
    await applyManifest('04', 'e2e-pvc');
    const registry = { namespace: 'e2e-pvc', name: 'pvc-registry' };
    const waiting = await awaitStatus(registry, 'names what is missing', (status) =>
      (condition(status, 'SourceAvailable')?.message ?? '').includes('registry-data-pvc'),
    );
    expect(condition(waiting, 'SourceAvailable')).toMatchObject({ status: 'False', reason: 'PVCNotFound' });

    await writeToClaim(
      'e2e-pvc',
      'registry-data-pvc',
      'registries/production.json',
      upstreamCatalogue(['com.example/disk']),
    );
    await awaitReady(registry);
    expect((await servers(registry, 'shared')).servers.map(({ server }) => server.name)).toEqual(['com.example/disk']);
  });

  it('05 serves what another of our registries serves', async () => {
    await awaitReady(minimal);
    await applyManifest('05', 'e2e-api');
    const registry = { namespace: 'e2e-api', name: 'api-registry' };
    await awaitReady(registry);
    expect((await servers(registry, 'upstream')).servers).toHaveLength(catalogueSize);
  });

  it('06 filters, and says so when nothing is left', async () => {
    await applyManifest('06', 'e2e-filter');
    const registry = { namespace: 'e2e-filter', name: 'filtered-registry' };
    await awaitReady(registry);
    expect((await servers(registry, 'toolhive')).servers).toEqual([]);
    const reasons = ['get', 'events', '--namespace', 'e2e-filter', '--output', 'jsonpath={.items[*].reason}'];
    await until(
      'an event says so',
      () => kubectl(reasons),
      (events) => events.split(' ').includes('FilterExcludedAll'),
    );
  });

  it('07 keeps what it serves in a database that proves itself by a private authority', async () => {
    await using postgres = await startClusterPostgres({ service: 'postgres', namespace: 'database' });
    created.push('database');
    await postgres.asSuperuser(async (client) => {
      await client.query("CREATE ROLE db_app LOGIN PASSWORD 'app_password'");
      await client.query("CREATE ROLE db_migrator LOGIN PASSWORD 'migrator_password'");
      await client.query('CREATE DATABASE registry OWNER db_migrator');
    });
    await applyManifest('07', 'e2e-database');
    const registry = { namespace: 'e2e-database', name: 'production-registry' };
    await awaitReady(registry);
    expect((await servers(registry, 'toolhive')).servers).toHaveLength(catalogueSize);

    const ask = async (sql: string) =>
      postgres.asSuperuser(async (client) => (await client.query(sql)).rows, 'registry');
    expect(await ask('SELECT owner FROM store')).toEqual([{ owner: 'e2e-database/production-registry' }]);
    expect(
      await ask(
        "SELECT DISTINCT usename, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE datname = 'registry' AND usename LIKE 'db_%'",
      ),
    ).toEqual([{ usename: 'db_app', ssl: true }]);

    // The next pod finds all data in the database.
    const revisions = await ask("SELECT name, revision FROM source WHERE name = 'toolhive'");
    const pods = ['--namespace', registry.namespace, '--selector', `app.kubernetes.io/instance=${registry.name}`];
    await kubectl(['delete', 'pods', ...pods]);
    await until(
      'the next pod serves the same',
      () => servers(registry, 'toolhive'),
      (list) => list.servers.length === catalogueSize,
    );
    expect(await ask("SELECT name, revision FROM source WHERE name = 'toolhive'")).toEqual(revisions);
    await kubectl(['delete', 'mcpregistry', registry.name, '--namespace', registry.namespace, '--timeout', '180s']);
  });

  it('08 lets in a service account whose token is for the audience, and no other', async () => {
    await applyManifest('08', OPERATOR_NAMESPACE);
    const registry = { namespace: OPERATOR_NAMESPACE, name: 'registry' };
    await awaitReady(registry);
    const url = 'http://registry-api.toolhive-system:8080/registry/toolhive/v0.1/servers?limit=1';
    const [right, wrong, none] = await Promise.all([
      fetchInPod({ namespace: OPERATOR_NAMESPACE, name: 'right', url, audience: 'registry-server' }),
      fetchInPod({ namespace: OPERATOR_NAMESPACE, name: 'wrong', url, audience: 'another' }),
      fetchInPod({ namespace: OPERATOR_NAMESPACE, name: 'none', url }),
    ]);
    expect(right.status).toBe(200);
    expect(JSON.parse(right.body)).toMatchObject({ metadata: { count: 1 } });
    expect([wrong.status, none.status]).toEqual([401, 401]);
    expect(wrong.challenge).toMatch(/^Bearer realm="mcp-registry", error="invalid_token"/);
    expect(none.challenge).not.toContain('error=');
    await kubectl(['delete', 'mcpregistry', 'registry', '--namespace', OPERATOR_NAMESPACE, '--timeout', '180s']);
  });

  it.each([
    ['09', 'e2e-oauth-kubernetes'],
    ['10', 'e2e-oauth-multiple'],
  ])('%s is ready without sources and open to nobody without a token', async (number, namespace) => {
    await applyManifest(number, namespace);
    const registry = { namespace, name: 'registry' };
    await awaitReady(registry);
    await expect(servers(registry, 'toolhive')).rejects.toThrow(/asked for the client to provide credentials/);
  });

  it('11 is open to everybody', async () => {
    await applyManifest('11', 'e2e-anonymous');
    const registry = { namespace: 'e2e-anonymous', name: 'registry' };
    await awaitReady(registry);
    expect((await servers(registry, 'toolhive')).servers).toHaveLength(catalogueSize);
  });

  it('12 gives the container the resources of its pod template', async () => {
    await applyManifest('12', 'e2e-template');
    const registry = { namespace: 'e2e-template', name: 'custom-registry' };
    await awaitReady(registry);
    const path = '{.items[0].spec.containers[?(@.name=="registry-api")].resources}';
    const resources = await kubectl(['get', 'pods', '--namespace', 'e2e-template', '--output', `jsonpath=${path}`]);
    expect(JSON.parse(resources)).toEqual({
      limits: { cpu: '500m', memory: '512Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    });
    expect((await servers(registry, 'toolhive')).servers).toHaveLength(catalogueSize);
  });
});
