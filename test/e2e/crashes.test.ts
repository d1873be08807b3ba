import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { openGitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { deleteNamespaces, kubectl, list, until } from './support/cluster.js';
import { annotate, awaitReady, createRegistry, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';
import { TemporalServer } from './support/temporal-server.js';

const NAMESPACE = 'e2e-crashes';
const FILE = 'crashes/registry.json';
/** Command that starts the missing parts of a local cluster. Without it, nothing would restart a killed API server. */
const CLUSTER_UP = process.env['E2E_CLUSTER_UP'] ?? '';
const AWAY_MS = 10_000;

const run = promisify(execFile);

/** Kills pods without a graceful shutdown, as SIGKILL does to a process. */
function killPods(namespace: string, selector: string): Promise<string> {
  return kubectl(['delete', 'pods', '--namespace', namespace, '--selector', selector, '--grace-period=0', '--force']);
}

function killTemporal(): void {
  process.kill(Number(readFileSync(TemporalServer.pidFile(inject('directory')), 'utf8')), 'SIGKILL');
}

/** Kills the API server, waits, and starts it again with the script that started the cluster. */
async function killApiServer(): Promise<void> {
  const server = await kubectl(['config', 'view', '--minify', '--output', 'jsonpath={.clusters[0].cluster.server}']);
  const { stdout } = await run('pgrep', ['--full', `^\\S*kube-apiserver .*--secure-port[= ]${new URL(server).port} `]);
  process.kill(Number(stdout), 'SIGKILL');
  await sleep(AWAY_MS);
  await run(CLUSTER_UP, []);
}

const killOperator = () => killPods('toolhive-system', 'app.kubernetes.io/name=toolhive-operator');
const killRegistry = ({ namespace, name }: DeployedRegistry) =>
  killPods(namespace, `app.kubernetes.io/instance=${name}`);

/** Kills the pod as soon as there is one, whatever it is doing at that moment. */
async function killRegistryOnceThere(registry: DeployedRegistry): Promise<void> {
  const { namespace, name } = registry;
  await until(
    `${name} has a pod`,
    () => list('pods', namespace, `app.kubernetes.io/instance=${name}`),
    (pods) => pods.length > 0,
    { everyMs: 100 },
  );
  await killRegistry(registry);
}

/** Kills each part in turn, during provisioning and during a sync, and repairs nothing by hand. */
describe('whatever is killed, a registry converges', () => {
  const repository = openGitRepository(inject('repository'));
  let edition = 0;
  let registries = 0;

  afterAll(() => deleteNamespaces([NAMESPACE]));

  async function publish(): Promise<string> {
    edition += 1;
    await repository.commit({ [FILE]: toolhiveCatalogue(2_000, edition) });
    return `edition ${edition}`;
  }

  function create(): Promise<DeployedRegistry> {
    registries += 1;
    const git = { repository: 'https://github.com/stacklok/toolhive.git', branch: 'main', path: FILE };
    return createRegistry(NAMESPACE, `crash-${registries}`, {
      auth: { mode: 'anonymous' },
      registries: [{ name: 'toolhive', format: 'toolhive', git }],
    });
  }

  async function expectServed(registry: DeployedRegistry, wanted: string): Promise<void> {
    await until(
      `${registry.name} serves ${wanted}`,
      () => servers(registry, 'toolhive', 'limit=2'),
      (page) => page.servers.length === 2 && page.servers.every(({ server }) => server.description.endsWith(wanted)),
      { withinMs: 180_000 },
    );
    await awaitReady(registry);
    const deployments = await list('deployments', NAMESPACE, `app.kubernetes.io/instance=${registry.name}`);
    expect(deployments).toHaveLength(1);
  }

  it.each<[string, (registry: DeployedRegistry) => Promise<unknown>]>([
    ['the operator', killOperator],
    ['the registry', killRegistryOnceThere],
    ['Temporal', async () => killTemporal()],
  ])('%s, while it provisions', async (_, kill) => {
    const wanted = await publish();
    const registry = await create();
    await kill(registry);
    await expectServed(registry, wanted);
  });

  it.skipIf(CLUSTER_UP === '')(
    'the API server, while it provisions and syncs (skipped without E2E_CLUSTER_UP)',
    async () => {
      await publish();
      const synced = await create();
      await awaitReady(synced);
      const wanted = await publish();
      await annotate(synced, 'before-the-API-server');
      const provisioned = await create();
      await killApiServer();
      await expectServed(synced, wanted);
      await expectServed(provisioned, wanted);
    },
  );

  it.each<[string, (registry: DeployedRegistry) => Promise<unknown>]>([
    ['the operator', killOperator],
    ['the registry', killRegistry],
    ['Temporal', async () => killTemporal()],
  ])('%s, while it syncs', async (part, kill) => {
    await publish();
    const registry = await create();
    await awaitReady(registry);
    const wanted = await publish();
    await annotate(registry, `after ${part}`.replaceAll(' ', '-'));
    await kill(registry);
    await expectServed(registry, wanted);
  });
});
