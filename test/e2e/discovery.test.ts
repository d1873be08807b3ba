import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverCrds } from '#support/server-crds.js';
import { apply, deleteNamespaces, kubectl, until } from './support/cluster.js';
import { awaitReady, awaitStatus, createRegistry, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';

const NAMESPACE = 'e2e-discovery';
const CRDS = serverCrds('v1alpha1');

/** Runs with the permissions of the registry's own ServiceAccount, which no test with only an API server can cover. */
describe('MCP servers that run beside a registry', () => {
  let registry: DeployedRegistry;

  beforeAll(async () => {
    await apply(CRDS);
    await kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...CRDS.map(toArgument)]);
    registry = await createRegistry(NAMESPACE, 'tools', { auth: { mode: 'anonymous' } });
  });

  afterAll(async () => {
    await deleteNamespaces([NAMESPACE]);
    await kubectl(['delete', ...CRDS.map(toArgument)]);
  });

  const seen = async () =>
    (await servers(registry, 'default')).servers.map(({ server }) => `${server.name}: ${server.description}`);

  const seenOnce = (accept: (lines: readonly string[]) => boolean) => until('what the registry lists', seen, accept);

  const put = (kind: string, name: string, said: Readonly<Record<string, string>>) =>
    apply([
      {
        apiVersion: 'toolhive.stacklok.dev/v1alpha1',
        kind,
        metadata: {
          name,
          namespace: NAMESPACE,
          annotations: Object.fromEntries(
            Object.entries(said).map(([key, value]) => [`toolhive.stacklok.dev/registry-${key}`, value]),
          ),
        },
        spec: { transport: 'sse' },
      },
    ]);

  it('are listed if they say so, without a source in the spec', async () => {
    await awaitReady(registry);
    expect(await seen()).toEqual([]);
    await put('MCPServer', 'private', { export: 'false', url: 'https://a.example.com', description: 'x' });
    await put('MCPServer', 'weather', { export: 'true', url: 'https://b.example.com', description: 'rain' });
    await put('VirtualMCPServer', 'all', { export: 'true', url: 'https://c.example.com', description: 'many' });
    expect(await seenOnce(({ length }) => length === 2)).toEqual([
      `com.toolhive.k8s.${NAMESPACE}/all: many`,
      `com.toolhive.k8s.${NAMESPACE}/weather: rain`,
    ]);
    const { syncStatus } = await awaitStatus(registry, 'counts them', (status) => status.syncStatus?.serverCount === 2);
    expect(syncStatus?.sources).toMatchObject([{ name: 'default', phase: 'Complete' }]);
  });

  it('follow their objects', async () => {
    await put('MCPServer', 'weather', { export: 'true', url: 'https://b.example.com', description: 'sun' });
    await kubectl(['delete', 'virtualmcpserver', 'all', '--namespace', NAMESPACE]);
    expect(await seenOnce((lines) => lines.length === 1 && !lines[0]?.endsWith('rain'))).toEqual([
      `com.toolhive.k8s.${NAMESPACE}/weather: sun`,
    ]);
  });
});

function toArgument({ metadata: { name } }: (typeof CRDS)[number]): string {
  return `customresourcedefinition/${name}`;
}
