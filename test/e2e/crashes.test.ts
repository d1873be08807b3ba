import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { openGitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { deleteNamespaces, kubectl, list, until } from './support/cluster.js';
import { annotate, awaitReady, createRegistry, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';
import { TemporalServer } from './support/temporal-server.js';

const NAMESPACE = 'e2e-crashes';
const FILE = 'crashes/registry.json';

/** Ends at once, without a last word: what SIGKILL does to a process. */
function killPods(namespace: string, selector: string): Promise<string> {
  return kubectl(['delete', 'pods', '--namespace', namespace, '--selector', selector, '--grace-period=0', '--force']);
}

function killTemporal(): void {
  process.kill(Number(readFileSync(TemporalServer.pidFile(inject('directory')), 'utf8')), 'SIGKILL');
}

const killOperator = () => killPods('toolhive-system', 'app.kubernetes.io/name=toolhive-operator');
const killRegistry = ({ namespace, name }: DeployedRegistry) =>
  killPods(namespace, `app.kubernetes.io/instance=${name}`);

/** One after the other each part dies, while it provisions and while it syncs; nobody lends a hand. */
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

  it.each([
    ['the operator', killOperator],
    ['Temporal', async () => killTemporal()],
  ])('%s, while it provisions', async (_, kill) => {
    const wanted = await publish();
    const registry = await create();
    await kill();
    await expectServed(registry, wanted);
  });

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
