import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { registryWorkflowId, syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import { SyncRefused } from '#domain/server-messages.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { RegistryWorld } from '#support/registry-world.js';

const CATALOGUE = 'pkg/registry/data/registry.json';
const PUBLIC = 'https://git.example/acme/';

let world: RegistryWorld | undefined;

afterEach(async () => {
  await world?.stop();
  world = undefined;
});

function manifest(sources: string, metadata = ''): string {
  return `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata:
  name: team
${metadata}
spec:
  auth:
    mode: anonymous
  registries:
${sources}`;
}

const gitSource = (interval: string, extra = '') => `
    - name: servers
      git:
        repository: ${PUBLIC}catalogue.git
        branch: main
        path: ${CATALOGUE}
      syncPolicy:
        interval: ${interval}
${extra}`;

const configMapSource = (name: string) => `
    - name: ${name}
      configMapRef:
        name: ${name}-data
        key: registry.json`;

const configMap = (name: string, content: string) => `
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}-data
data:
  registry.json: '${content}'
`;

async function start(manifests: string, repository?: GitRepository, fetchTimeoutMs = 20_000): Promise<RegistryWorld> {
  return (world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests,
    settings: {
      fetchTimeoutMs,
      urlRewrites: repository ? [{ from: `${PUBLIC}catalogue.git`, to: repository.url }] : [],
    },
  }));
}

/** Starts a host that accepts connections and sends nothing. `source` is a source named `dead` at that host. */
async function hangingHost(): Promise<AsyncDisposable & { readonly source: string }> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const source = `
    - name: dead
      git:
        repository: http://127.0.0.1:${port}/catalogue.git
`;
  return { source, [Symbol.asyncDispose]: async () => void server.close() };
}

/** Waits until the status is as wanted and no sync is running, and returns it. */
const statusAtRest = (wanted: (status: RegistryStatus) => boolean = () => true) =>
  eventually(async () => {
    const status = await world!.documents.readStatus(world!.registry);
    return status && status.phase !== 'Syncing' && wanted(status) ? status : undefined;
  });

/**
 * Returns the rows of the entry table with the transaction that wrote each. A row that is not rewritten keeps its
 * transaction.
 */
const writtenBy = (of: RegistryWorld) =>
  of.query<{ name: string; xmin: string }>('SELECT name, xmin::text FROM entry ORDER BY name, version');

describe('a git source', () => {
  it('is served, checked at each interval, and written only where it changed', async () => {
    const repository = await createGitRepository();
    const first = await repository.commit({ [CATALOGUE]: toolhiveCatalogue(20) });
    const { nthRun } = bind(await start(manifest(gitSource('300ms')), repository));

    expect(await nthRun('servers', 1)).toMatchObject({
      trigger: 'initial',
      revision: first,
      counts: { served: 20, added: 20 },
    });
    const before = await writtenBy(world!);
    expect(await nthRun('servers', 2)).toMatchObject({ trigger: 'interval', revision: first });
    expect((await nthRun('servers', 3)).counts).toBeUndefined();
    expect(await writtenBy(world!)).toEqual(before);

    const catalogue = JSON.parse(toolhiveCatalogue(20)) as { servers: Record<string, { description: string }> };
    delete catalogue.servers['server-000019'];
    catalogue.servers['server-000003']!.description = 'Edited since the last commit';
    const second = await repository.commit({ [CATALOGUE]: JSON.stringify(catalogue) });
    const changed = await eventually(() => world!.runs.find(({ outcome }) => outcome.revision === second)?.outcome);
    expect(changed.counts).toMatchObject({ served: 19, added: 0, updated: 1, removed: 1, unchanged: 18 });
    const after = await writtenBy(world!);
    const rewritten = after.filter(({ xmin }, index) => xmin !== before[index]?.xmin).map(({ name }) => name);
    expect(rewritten).toEqual(['io.github.stacklok/server-000003', 'io.github.stacklok/server-000019']);
  });

  it('writes no entry for a commit that does not touch the file', async () => {
    const repository = await createGitRepository();
    await repository.commit({ [CATALOGUE]: toolhiveCatalogue(5) });
    const { nthRun } = bind(await start(manifest(gitSource('300ms')), repository));
    await nthRun('servers', 1);
    const before = await writtenBy(world!);
    const other = await repository.commit({ 'README.md': 'Nothing to see here' });
    const run = await eventually(() => world!.runs.find(({ outcome }) => outcome.revision === other)?.outcome);
    expect(run.failure).toBeUndefined();
    expect(await writtenBy(world!)).toEqual(before);
  });

  it('keeps serving the old entries when the file disappears, and reports similar files', async () => {
    const repository = await createGitRepository();
    await repository.commit({ [CATALOGUE]: toolhiveCatalogue(5) });
    await start(manifest(gitSource('300ms', '')), repository);
    await world!.nthRun('servers', 1);
    await world!.edit(
      manifest(gitSource('300ms')).replace(`path: ${CATALOGUE}`, 'path: pkg/registry/data/registri.json'),
    );
    const failing = await world!.source('servers', ({ failure }) => failure !== undefined);
    expect(failing.failure).toMatchObject({ reason: 'FileNotFound' });
    expect(failing.failure?.message).toContain(CATALOGUE);
    expect(failing).toMatchObject({ serverCount: 5 });
    expect(await writtenBy(world!)).toHaveLength(5);
  });
});

describe('a source that shrinks', () => {
  it.each([
    [
      'the sync-trigger annotation',
      async () => {
        const annotation = "  annotations:\n    toolhive.stacklok.dev/sync-trigger: 'accept it'";
        await world!.edit(manifest(gitSource('400ms'), annotation));
      },
    ],
    [
      'a sync that is asked for over the API',
      async () => {
        await world!.syncByUser('servers');
      },
    ],
  ])(
    'is blocked until the removed servers are confirmed by %s, whatever is committed meanwhile',
    async (_by, confirm) => {
      const repository = await createGitRepository();
      await repository.commit({ [CATALOGUE]: toolhiveCatalogue(30) });
      await start(manifest(gitSource('400ms')), repository);
      await world!.nthRun('servers', 1);
      const small = await repository.commit({ [CATALOGUE]: toolhiveCatalogue(5) });
      const held = await world!.source('servers', ({ failure }) => failure?.reason === 'ShrinkGuard');
      expect(held).toMatchObject({ serverCount: 30 });
      expect(held.failure?.message).toContain(small);
      // A commit that nobody has confirmed, but that removes no server that the confirmed one kept.
      const later = await repository.commit({ [CATALOGUE]: toolhiveCatalogue(6) });
      await confirm();
      const run = await eventually(() => world!.runs.find(({ outcome }) => outcome.counts?.served === 6)?.outcome);
      expect(run).toMatchObject({ revision: later, counts: { removed: 24 } });
      expect(await world!.query('SELECT 1 FROM source WHERE held_revision IS NOT NULL')).toEqual([]);
    },
  );
});

describe('several sources', () => {
  it('do not wait for one whose host hangs', async () => {
    await using host = await hangingHost();
    const { nthRun } = bind(
      await start(manifest(host.source + configMapSource('local')) + configMap('local', toolhiveCatalogue(3))),
    );
    expect((await nthRun('local', 1)).counts).toMatchObject({ served: 3 });
    expect(world!.runs.map(({ outcome }) => outcome.source)).toEqual(['local']);
    expect((await world!.source('dead', ({ running }) => running !== undefined)).lastSyncAtMs).toBeUndefined();
  });

  it('stop a hanging sync when its source is edited, without counting it as a failure', async () => {
    await using dead = await hangingHost();
    // With this timeout, the sync would wait for the host longer than this test lasts.
    const { nthRun } = bind(await start(manifest(dead.source), undefined, 600_000));
    await world!.source('dead', ({ running }) => running !== undefined);
    await world!.edit(manifest(configMapSource('dead')) + configMap('dead', toolhiveCatalogue(3)));
    const synced = await world!.source('dead', ({ lastSyncAtMs }) => lastSyncAtMs !== undefined);
    expect(synced).toMatchObject({ serverCount: 3, attemptCount: 0 });
    expect((await nthRun('dead', 1)).trigger).toBe('change');
    const first = syncWorkflowId(world!.registry, 'dead', 1);
    const { status } = await world!.temporal.client.workflow.getHandle(first).describe();
    expect(status.name).not.toBe('RUNNING');
  });

  it('follow edits of the spec: a new one is synced, a removed one loses its rows, and the rest is unchanged', async () => {
    const two = configMap('one', toolhiveCatalogue(2)) + configMap('two', toolhiveCatalogue(3));
    const { nthRun } = bind(await start(manifest(configMapSource('one')) + two));
    await nthRun('one', 1);
    await world!.edit(manifest(configMapSource('one') + configMapSource('two')) + two);
    expect((await nthRun('two', 1)).trigger).toBe('initial');
    await world!.edit(manifest(configMapSource('two')) + two);
    await eventually(async () => ((await writtenBy(world!)).length === 3 ? true : undefined));
    expect(world!.runs.map(({ outcome }) => outcome.source)).toEqual(['one', 'two']);
  });
});

describe('a ConfigMap source', () => {
  it('waits for a missing ConfigMap and syncs as soon as it exists', async () => {
    await start(manifest(configMapSource('late')));
    const waiting = await world!.source('late', ({ failure }) => failure !== undefined);
    expect(waiting.failure).toMatchObject({ reason: 'ConfigMapNotFound' });
    expect((await statusAtRest()).phase).toBe('Pending');
    await world!.edit(manifest(configMapSource('late')) + configMap('late', toolhiveCatalogue(4)));
    expect((await world!.source('late', ({ serverCount }) => serverCount === 4)).failure).toBeUndefined();
  });

  it('is synced again when its content changes', async () => {
    const { nthRun } = bind(await start(manifest(configMapSource('cm')) + configMap('cm', toolhiveCatalogue(2))));
    await nthRun('cm', 1);
    await world!.edit(manifest(configMapSource('cm')) + configMap('cm', toolhiveCatalogue(2, 2)));
    expect(await nthRun('cm', 2)).toMatchObject({ trigger: 'change', counts: { updated: 2, unchanged: 0 } });
  });

  it('hides what an edited filter excludes, and reports the rule', async () => {
    const data = configMap('cm', toolhiveCatalogue(4));
    const { nthRun } = bind(await start(manifest(configMapSource('cm')) + data));
    await nthRun('cm', 1);
    const filter = '\n      filter:\n        tags:\n          exclude: [odd]\n';
    await world!.edit(manifest(configMapSource('cm') + filter) + data);
    expect((await nthRun('cm', 2)).counts).toMatchObject({ served: 2, hidden: 2 });
    const hidden = await world!.query('SELECT DISTINCT hidden_by FROM entry WHERE hidden_by IS NOT NULL');
    expect(hidden).toEqual([{ hidden_by: 'tags.exclude: odd' }]);
  });
});

describe('syncNow', () => {
  it('returns the workflow that it started, whose history shows what happened', async () => {
    await start(manifest(configMapSource('cm')) + configMap('cm', toolhiveCatalogue(2)));
    await world!.nthRun('cm', 1);
    const [started] = await world!.workflows.syncNow(world!.registry, 'cm');
    expect(started).toEqual({ source: 'cm', workflowId: syncWorkflowId(world!.registry, 'cm', 2) });
    expect(await world!.temporal.client.workflow.result(started!.workflowId)).toMatchObject({ trigger: 'manual' });
    const refused = new SyncRefused('the registry has no source "nope"');
    await expect(world!.workflows.syncNow(world!.registry, 'nope')).rejects.toThrow(refused);
  });

  it('returns without a source that is removed while its sync is awaited', async () => {
    await using host = await hangingHost();
    const data = configMap('cm', toolhiveCatalogue(2));
    // Longer than this test takes, because the next sync of the source that hangs starts when this time is over.
    await start(manifest(host.source + configMapSource('cm')) + data, undefined, 200_000);
    await world!.nthRun('cm', 1);
    await world!.source('dead', ({ running }) => running !== undefined);
    const asked = world!.workflows.syncNow(world!.registry);
    // The sync of the other source has started, so the call waits only for the one that hangs.
    await world!.nthRun('cm', 2);
    await world!.edit(manifest(configMapSource('cm')) + data);
    expect((await asked).map(({ source }) => source)).toEqual(['cm']);
  });

  it('runs once for each value of the sync-trigger annotation', async () => {
    const data = configMap('cm', toolhiveCatalogue(2));
    const triggered = (value: string) =>
      manifest(configMapSource('cm'), `  annotations:\n    toolhive.stacklok.dev/sync-trigger: '${value}'`) + data;
    await start(manifest(configMapSource('cm')) + data);
    await world!.nthRun('cm', 1);
    await world!.edit(triggered('1'));
    expect(await world!.nthRun('cm', 2)).toMatchObject({ trigger: 'manual' });
    const status = await statusAtRest(({ lastManualSyncTrigger }) => lastManualSyncTrigger === '1');
    expect(status.phase).toBe('Ready');
    await world!.edit(triggered('2'));
    expect(await world!.nthRun('cm', 3)).toMatchObject({ trigger: 'manual' });
  });
});

describe('the workflow of a registry', () => {
  it('ends when the document is removed, with everything that it served', async () => {
    await start(manifest(configMapSource('cm')) + configMap('cm', toolhiveCatalogue(2)));
    await world!.nthRun('cm', 1);
    const { registry } = world!;
    await world!.edit(configMap('cm', toolhiveCatalogue(2)));
    await world!.temporal.client.workflow.getHandle(registryWorkflowId(registry)).result();
    expect(await world!.query('SELECT * FROM registry')).toEqual([]);
    expect(await world!.query('SELECT * FROM entry')).toEqual([]);
    expect(world!.documents.registries()).toEqual([]);
  });

  it('is readable in lists: type, memo and summaries contain source, reason and result', async () => {
    const repository = await createGitRepository();
    const commit = await repository.commit({ [CATALOGUE]: toolhiveCatalogue(7) });
    await start(manifest(gitSource('1h')), repository);
    await world!.nthRun('servers', 1);
    const { client } = world!.temporal;
    const child = client.workflow.getHandle(syncWorkflowId(world!.registry, 'servers', 1));
    await child.result();
    const described = await child.describe();
    expect(described).toMatchObject({
      type: 'syncSource',
      memo: { registry: 'default/team', source: 'servers', trigger: 'initial', revision: commit, served: 7 },
    });
    expect(await described.staticSummary()).toBe('default/team: servers, initial');
    const entity = await client.workflow.getHandle(registryWorkflowId(world!.registry)).describe();
    expect(entity).toMatchObject({ type: 'mcpRegistry', memo: { registry: 'default/team' } });
  });

  it('continues as new while a sync is running, and loses nothing', async () => {
    const repository = await createGitRepository();
    await repository.commit({ [CATALOGUE]: toolhiveCatalogue(3) });
    await start(
      manifest(gitSource('150ms') + configMapSource('cm')) + configMap('cm', toolhiveCatalogue(2)),
      repository,
    );
    const handle = world!.temporal.client.workflow.getHandle(registryWorkflowId(world!.registry));
    const first = (await eventually(() => handle.describe().catch(() => undefined))).runId;
    await eventually(async () => ((await handle.describe()).runId === first ? undefined : true));
    const before = world!.runs.length;
    const commit = await repository.commit({ [CATALOGUE]: toolhiveCatalogue(3, 2) });
    const run = await eventually(() => world!.runs.find(({ outcome }) => outcome.revision === commit)?.outcome);
    expect(run.counts).toMatchObject({ updated: 3 });
    expect(world!.runs.length).toBeGreaterThan(before);
    const numbers = world!.runs.map(({ outcome }) => outcome.run);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(await world!.source('cm', () => true)).toMatchObject({ serverCount: 2 });
  });
});

describe('a registry continues', () => {
  it('after malformed signals, which are dropped', async () => {
    await start(manifest(configMapSource('cm')) + configMap('cm', toolhiveCatalogue(2)));
    await world!.nthRun('cm', 1);
    const handle = world!.temporal.client.workflow.getHandle(registryWorkflowId(world!.registry));
    const shapes: unknown[][] = [[], [null], ['x'], [{}], [{ id: 1 }], [[]], [{ id: 'x'.repeat(1e5), taskQueue: 'q' }]];
    for (const signal of ['storeOpened', 'storeDelayed', 'workloadChanged', 'syncFinished', 'desiredStateChanged']) {
      for (const args of shapes) await handle.signal(signal, ...args);
    }
    await world!.workflows.syncNow(world!.registry, 'cm');
    expect((await world!.nthRun('cm', 2)).failure).toBeUndefined();
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  it('when the database has lost the plan, and serves again', async () => {
    const repository = await createGitRepository();
    await repository.commit({ [CATALOGUE]: toolhiveCatalogue(4) });
    await start(manifest(gitSource('500ms')), repository);
    await world!.nthRun('servers', 1);
    await world!.query('DELETE FROM source');
    await eventually(async () => ((await writtenBy(world!)).length === 4 ? true : undefined));
    expect((await world!.source('servers', ({ failure }) => failure === undefined)).serverCount).toBe(4);
  });

  it('within seconds when a hanging sync is terminated', async () => {
    await using dead = await hangingHost();
    await start(manifest(dead.source), undefined, 600_000);
    await world!.source('dead', ({ running }) => running !== undefined);
    const first = world!.temporal.client.workflow.getHandle(syncWorkflowId(world!.registry, 'dead', 1));
    await eventually(
      async () => (await first.describe().catch(() => undefined))?.status.name === 'RUNNING' || undefined,
    );
    await first.terminate();
    const failed = await world!.source('dead', ({ attemptCount }) => attemptCount === 1);
    expect(failed.failure).toMatchObject({ reason: 'TimedOut' });
    const second = world!.temporal.client.workflow.getHandle(syncWorkflowId(world!.registry, 'dead', 2));
    await eventually(
      async () => (await second.describe().catch(() => undefined))?.status.name === 'RUNNING' || undefined,
    );
  });

  it('with the stores in its memo, so that servers need no worker, also after a continue-as-new', async () => {
    const repository = await createGitRepository();
    await repository.commit({ [CATALOGUE]: toolhiveCatalogue(3) });
    await start(manifest(gitSource('150ms')), repository);
    const handle = world!.temporal.client.workflow.getHandle(registryWorkflowId(world!.registry));
    const first = (await eventually(() => handle.describe().catch(() => undefined))).runId;
    await eventually(async () => ((await handle.describe()).runId === first ? undefined : true));
    expect(await world!.workflows.liveStores(world!.registry)).toEqual([world!.syncWorker.store]);
  });
});

describe('histories', () => {
  it('contain neither catalogue data nor spec nor secrets', async () => {
    const repository = await createGitRepository();
    await repository.commit({ [CATALOGUE]: toolhiveCatalogue(3) });
    const secret = `
---
apiVersion: v1
kind: Secret
metadata:
  name: git-credentials
stringData:
  password: pass-9f3a7c
`;
    const auth = `
        auth:
          username: robot-user
          passwordSecretRef: {name: git-credentials, key: password}`;
    const source = gitSource('1h').replace(`path: ${CATALOGUE}`, `path: ${CATALOGUE}${auth}`);
    await start(manifest(source.replace(PUBLIC, 'https://someone:url-5d21@git.example/acme/')) + secret);
    await world!.source('servers', ({ failure }) => failure !== undefined);
    await world!.edit(manifest(source) + secret);
    await world!.edit(manifest(gitSource('1h') + configMapSource('cm')) + configMap('cm', toolhiveCatalogue(3)));
    await world!.nthRun('cm', 1);
    const { client } = world!.temporal;
    const ids = [
      registryWorkflowId(world!.registry),
      ...world!.runs.map(({ registry, outcome }) => syncWorkflowId(registry, outcome.source, outcome.run)),
    ];
    expect(ids.length).toBeGreaterThan(2);
    const text = JSON.stringify(
      await Promise.all(ids.map((id) => client.workflow.getHandle(id).fetchHistory())),
      (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value),
    );
    expect(text).toContain('git.example');
    for (const forbidden of ['pass-9f3a7c', 'url-5d21', 'robot-user', 'Server number', 'ghcr.io', 'anonymous']) {
      expect(text).not.toContain(forbidden);
    }
  });
});

function bind(started: RegistryWorld): { nthRun: RegistryWorld['nthRun'] } {
  return { nthRun: (source, n) => started.nthRun(source, n) };
}
