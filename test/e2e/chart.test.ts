import { afterAll, describe, expect, it } from 'vitest';
import { startClusterPostgres } from './support/cluster-postgres.js';
import { apply, deleteNamespaces, ensureNamespace, helm, kubectl } from './support/cluster.js';
import { awaitReady, createRegistry, servers } from './support/registry.js';
import { upstreamCatalogue } from './support/sources.js';

const RELEASE = ['toolhive-operator', '--namespace', 'toolhive-system'];
const WAIT = ['--wait', '--timeout', '3m'];
const CHART = 'deploy/helm/mcp-registry-operator';
const namespaces = ['e2e-default-a', 'e2e-default-b'];

/** Creates a namespace in which the API server admits only pods that meet the `restricted` Pod Security Standard. */
async function ensureRestrictedNamespace(name: string): Promise<void> {
  await ensureNamespace(name);
  await kubectl(['label', 'namespace', name, '--overwrite', 'pod-security.kubernetes.io/enforce=restricted']);
}

describe('the chart', () => {
  afterAll(() => deleteNamespaces([...namespaces, 'e2e-postgres']));

  it('passes its own test', async () => {
    expect(await helm(['test', ...RELEASE])).toMatch(/Phase:\s+Succeeded/);
  });

  it('refuses to watch some namespaces without being told which', async () => {
    const rendering = helm(['template', 'some', CHART, '--set', 'rbac.scope=namespace']);
    await expect(rendering).rejects.toThrow('rbac.allowedNamespaces must name the namespaces to watch');
  });

  it('hands the authority of the common Temporal server on to registries, and no credentials', async () => {
    const tls = { serverName: 'temporal.example', secretName: 'of-the-operator' };
    const values = ['--set-json', `temporal.tls=${JSON.stringify(tls)}`];
    const rendered = await helm(['template', 'some', CHART, ...values]);
    const [, , mounted = ''] = rendered.split(/- name: (?=(?:registry-)?temporal\n +projected)/);
    expect(mounted).toContain('name: of-the-operator\n                  items: [{ key: ca.crt, path: ca.crt }]');
    expect(rendered.match(/serverName: "temporal.example"/g)).toHaveLength(2);
  });

  it('gives registries that name no database one each, on the server of the site', async () => {
    await using postgres = await startClusterPostgres({ service: 'site', namespace: 'e2e-postgres' });
    await postgres.asSuperuser(async (client) => {
      await client.query("CREATE ROLE mcp_registry_operator LOGIN CREATEROLE CREATEDB PASSWORD 'of the operator'");
    });
    const passwords = { password: 'of the operator' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'e2e-passwords' }, stringData: passwords };
    await apply([secret], 'toolhive-system');
    const defaultDatabase = {
      host: 'site.e2e-postgres.svc.cluster.local',
      sslMode: 'verify-full',
      adminPassword: { secretName: 'e2e-passwords' },
    };
    const values = ['--reuse-values', '--set-json', `defaultDatabase=${JSON.stringify(defaultDatabase)}`];
    await helm(['upgrade', ...RELEASE, CHART, ...values, ...WAIT]);
    try {
      for (const namespace of namespaces) {
        await ensureRestrictedNamespace(namespace);
        const registry = await createRegistry(namespace, 'plain', {
          auth: { mode: 'anonymous' },
          registries: [
            { name: 'local', format: 'upstream', configMapRef: { name: 'catalogue', key: 'registry.json' } },
          ],
        });
        const data = { 'registry.json': upstreamCatalogue([`com.example/${namespace}`]) };
        await apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'catalogue' }, data }], namespace);
        await awaitReady(registry);
        const served = (await servers(registry, 'local')).servers.map(({ server }) => server.name);
        expect(served).toEqual([`com.example/${namespace}`]);
        const stored = await postgres.asSuperuser(
          async (client) =>
            (await client.query('SELECT owner, (SELECT count(*)::int FROM entry) AS entries FROM store')).rows,
          `mcp_${namespace}_plain`,
        );
        expect(stored).toEqual([{ owner: `${namespace}/plain`, entries: 1 }]);
      }
      await deleteNamespaces(namespaces);
    } finally {
      await helm(['rollback', ...RELEASE, ...WAIT]);
    }
  });
});
