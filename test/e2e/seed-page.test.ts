import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openGitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { deleteNamespaces, helm, kubectl, until } from './support/cluster.js';
import { annotate, awaitReady, awaitStatus, createRegistry, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';

const NAMESPACE = 'e2e-page';

/** Runs the commands that the documentation tells users to type. */
describe('the commands of the documentation', () => {
  let registry: DeployedRegistry;
  const repository = openGitRepository(inject('repository'));

  beforeAll(async () => {
    await repository.commit({ 'page/registry.json': toolhiveCatalogue(3) });
    registry = await createRegistry(NAMESPACE, 'page', {
      displayName: 'Page',
      auth: { mode: 'anonymous' },
      registries: [
        {
          name: 'toolhive',
          format: 'toolhive',
          git: { repository: 'https://github.com/stacklok/toolhive.git', branch: 'main', path: 'page/registry.json' },
          syncPolicy: { interval: '30m' },
        },
      ],
    });
    await awaitReady(registry);
  });
  afterAll(() => deleteNamespaces([NAMESPACE]));

  it('get lists phase, message and age, in one namespace and in all', async () => {
    const columns = (table: string) =>
      table
        .split('\n')[0]!
        .split(/ {2,}/)
        .map((name) => name.trim());
    const one = await kubectl(['-n', NAMESPACE, 'get', 'mcpregistries']);
    expect(columns(one)).toEqual(['NAME', 'PHASE', 'MESSAGE', 'AGE']);
    expect(one).toMatch(/^page +Ready +\S/m);
    const all = await kubectl(['get', 'mcpregistries', '--all-namespaces']);
    expect(columns(all)).toEqual(['NAMESPACE', 'NAME', 'PHASE', 'MESSAGE', 'AGE']);
  });

  it('describe shows the name for people, the conditions and the events', async () => {
    const text = await until(
      'an event tells that it is ready',
      () => kubectl(['-n', NAMESPACE, 'describe', 'mcpregistry', 'page']),
      (description) => /Normal +Ready/.test(description),
    );
    expect(text).toMatch(/Display Name: +Page/);
    expect(text).toMatch(/Type: +Ready/);
  });

  it('logs of the operator and of a registry are found by their labels', async () => {
    const operator = await kubectl(['-n', 'toolhive-system', 'logs', '-l', 'app.kubernetes.io/name=toolhive-operator']);
    const server = await kubectl(['-n', NAMESPACE, 'logs', '-l', 'app.kubernetes.io/instance=page']);
    for (const log of [operator, server]) {
      const lines = log.trim().split('\n');
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) expect(JSON.parse(line)).toHaveProperty('msg');
    }
    const pods = await kubectl([
      '-n',
      'toolhive-system',
      'get',
      'pods',
      '-l',
      'app.kubernetes.io/name=toolhive-operator',
    ]);
    expect(pods).toMatch(/Running/);
  });

  it('helm shows the values of the operator', async () => {
    expect(await helm(['get', 'values', 'toolhive-operator', '-n', 'toolhive-system'])).toContain('temporal');
  });

  it('jsonpath gives the state of the sync', async () => {
    const path = 'jsonpath={.status.syncStatus}';
    const state = JSON.parse(await kubectl(['get', 'mcpregistry', 'page', '-n', NAMESPACE, '-o', path]));
    expect(state).toMatchObject({ phase: 'Complete', serverCount: 3, sources: [{ name: 'toolhive', serverCount: 3 }] });
  });

  it('an annotation brings new data within moments, and is recorded', async () => {
    await repository.commit({ 'page/registry.json': toolhiveCatalogue(5) });
    await annotate(registry, 'now');
    await until(
      'the new data is served',
      () => servers(registry, 'toolhive'),
      (list) => list.servers.length === 5,
    );
    await awaitStatus(registry, 'records the trigger', (status) => status.lastManualSyncTrigger === 'now');
  });
});
