import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { registryActivities } from '#activities/index.js';
import type { Activities, ActivityName } from '#activities/contract.js';
import { INPUTS } from '#activities/inputs.js';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import type { SyncOutcome, SyncRequest } from '#domain/sync.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { unprovisionStored } from '#standalone/unprovision.js';
import { adminAccess } from '#support/api-server.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { CHILDREN, ProvisionedRegistry } from '#support/provisioned-registry.js';
import { RegistryWorld } from '#support/registry-world.js';
import { sharedApiServer } from '#support/shared-api-server.js';
import type { Attack } from '#support/stranger.workflow.js';

const STRANGER = fileURLToPath(new URL('../support/stranger.workflow.ts', import.meta.url));
const REPOSITORY = 'https://git.example/catalogue.git';
const silent = { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} };
const FAR_FUTURE_MS = Date.UTC(2099);

const OUTSIDE = [
  '../..',
  '../../etc',
  '/etc',
  '',
  '.',
  `${randomUUID()}/..`,
  'A'.repeat(36),
  randomUUID().toUpperCase(),
];

let world: RegistryWorld;
let repository: GitRepository;
/** A commit that is not on any branch, like that of a pull request. */
let foreignCommit: string;
let stranger: Worker;
let attacking: Promise<void>;
const strangersQueue = `stranger-${randomUUID()}`;

beforeAll(async () => {
  repository = await createGitRepository();
  await repository.commit({ 'registry.json': toolhiveCatalogue(20) });
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: `
apiVersion: toolhive.stacklok.dev/v1alpha1
kind: MCPRegistry
metadata: {name: victim}
spec:
  auth: {mode: anonymous}
  registries:
    - name: servers
      git: {repository: ${REPOSITORY}, branch: main}
`,
    settings: { urlRewrites: [{ from: REPOSITORY, to: repository.url }] },
  });
  await world.nthRun('servers', 1);
  foreignCommit = await repository.commit({ 'registry.json': toolhiveCatalogue(3) });
  await repository.git('update-ref', 'refs/pull/1/head', foreignCommit);
  await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
  await eventually(async () => (await status())?.phase === 'Ready' || undefined);
  const workflowBundle = await bundleWorkflowCode({ workflowsPath: STRANGER, logger: silent });
  const { connection } = world.temporal;
  stranger = await Worker.create({ connection, taskQueue: strangersQueue, workflowBundle });
  attacking = stranger.run();
});

afterAll(async () => {
  stranger?.shutdown();
  await attacking;
  await world?.stop();
  await repository?.[Symbol.asyncDispose]();
});

/**
 * Returns everything that an attack might change: rows with the transactions that wrote them, the status and the files.
 */
async function everything(): Promise<unknown> {
  const rows = await Promise.all(
    ['registry', 'entry', 'quarantined_entry', 'sync_run', 'staged_walk'].map((table) =>
      world.query(`SELECT xmin::text, to_jsonb(r) AS row FROM ${table} r ORDER BY 2::text`),
    ),
  );
  // Columns that a mere check of the source changes are left out, because it does no harm.
  const sources = await world.query(
    `SELECT to_jsonb(s) - 'synced_at' - 'syncing_since' - 'fence' AS row FROM source s`,
  );
  const files = await readdir(join(world.syncWorker.directory, 'cache'), { recursive: true });
  return { rows, sources, files: files.filter((file) => !file.includes('.git')), status: await status() };
}

const status = () => world.documents.readStatus(world.registry);

function request(changes: Partial<SyncRequest> = {}): SyncRequest {
  return {
    registry: world.registry,
    source: 'servers',
    address: REPOSITORY,
    run: 9_999,
    trigger: 'manual',
    store: world.syncWorker.store,
    ...changes,
  };
}

function facts(changes: Partial<RegistryFacts> = {}): RegistryFacts {
  return { generation: 1, deleting: false, serving: true, sources: [], ...changes };
}

const syncedFacts = { name: 'servers', attemptCount: 0, serverCount: 4711, revision: 'made-up' };

function outcome(changes: Partial<SyncOutcome> = {}): SyncOutcome {
  const now = Date.now();
  return {
    source: 'servers',
    run: 9_999,
    storeId: world.syncWorker.store.id,
    trigger: 'manual',
    startedAt: now,
    finishedAt: now,
    ...changes,
  };
}

const resolved = (revision: string) => ({ revision, label: 'registry.json at main', unchanged: false });
const elsewhere = (changes: Partial<RegistryRef> = { uid: randomUUID() }): RegistryRef => ({
  ...world.registry,
  ...changes,
});
const oddUids = () => OUTSIDE.map((uid): readonly [unknown] => [elsewhere({ uid })]);
const oddRequests = () => [
  [request({ registry: elsewhere() })],
  [request({ registry: elsewhere({ uid: '../..' }) })],
  [request({ source: '../../etc' })],
  [request({ source: 'another' })],
  [request({ run: -1 })],
  [request({ run: Number.MAX_SAFE_INTEGER })],
];
const GREEDY = { served: 1, hidden: 0, quarantined: 0, added: 1, updated: 0, removed: 20, unchanged: 0 };

/** Payloads from strangers, by activity. Each is tried in every way available to a stranger. */
const ATTACKS: { readonly [Name in ActivityName]: () => readonly (readonly unknown[])[] } = {
  readDesiredState: () => [[elsewhere()], ...oddUids(), [undefined], [{}], []],
  reportStatus: () => [
    [elsewhere(), facts()],
    ...oddUids().map(([registry]) => [registry, facts()]),
    [world.registry, facts({ generation: 99 })],
    [world.registry, facts({ sources: [{ ...syncedFacts, name: 'another' }] })],
    [world.registry, facts({ sources: [{ ...syncedFacts, lastSyncAtMs: FAR_FUTURE_MS }] })],
    [world.registry, facts({ sources: [{ ...syncedFacts, lastSyncAtMs: -1 }] })],
    [world.registry, facts({ sources: [{ ...syncedFacts, serverCount: -1 }] })],
    [world.registry, facts({ sources: [{ ...syncedFacts, revision: 'a\nb' }] })],
    [world.registry, facts({ sources: Array.from({ length: 1_000 }, () => syncedFacts) })],
    [world.registry, 'nonsense'],
  ],
  tearDown: () => [[world.registry], [elsewhere({ namespace: '../other' })], ...oddUids()],
  ensureServer: () => [[elsewhere()], ...oddUids()],
  findContenders: () => [[elsewhere()], ...oddUids()],
  adoptPlan: () => [
    [elsewhere(), 1],
    [world.registry, 99],
    [world.registry, -1],
    ...oddUids().map((uid) => [...uid, 1]),
  ],
  applyFilter: () => [[request()], [request({ refilter: true })], ...oddRequests()],
  resolveRevision: () => oddRequests(),
  importRevision: () => [
    [request(), resolved(foreignCommit)],
    [request({ triggerToken: 'forged' }), resolved(foreignCommit)],
    [{ ...request(), consent: 'all' }, resolved(foreignCommit)],
    [request(), { ...resolved(foreignCommit), changesOnly: true, since: '2099-01-01T00:00:00Z' }],
    [request(), resolved('--upload-pack=touch /tmp/harm')],
    [request(), resolved('a\u0000b')],
    ...oddRequests().map(([each]) => [each, resolved(foreignCommit)]),
  ],
  recordSyncRun: () => [
    [request(), outcome({ finishedAt: FAR_FUTURE_MS })],
    [request(), outcome({ startedAt: FAR_FUTURE_MS, finishedAt: FAR_FUTURE_MS })],
    [request({ registry: elsewhere() }), outcome()],
    [request({ source: 'another' }), outcome({ source: 'another' })],
    [request(), outcome({ failure: { reason: 'Harm' as never, message: '', destiny: 'stop' } })],
    [request(), outcome({ trigger: 'harm' as never })],
  ],
};

const REGISTRY_ACTIVITIES = ['readDesiredState', 'reportStatus', 'tearDown'] as const;
const names = Object.keys(ATTACKS) as ActivityName[];
const syncNames = names.filter((name) => /^(adopt|apply|resolve|import|record)/.test(name));
const provisionNames = names.filter((name) => /^(ensure|find)/.test(name));

it('knows attacks on every activity', () => {
  expect(names.toSorted()).toEqual(Object.keys(INPUTS).toSorted());
  expect([...REGISTRY_ACTIVITIES, ...syncNames, ...provisionNames].toSorted()).toEqual(names.toSorted());
});

function attack(activity: ActivityName, payload: readonly unknown[], workflowId: string): Promise<string> {
  const taskQueue = syncNames.includes(activity) ? world.syncWorker.store.taskQueue : world.taskQueue;
  const args: [Attack] = [{ taskQueue, activity, payload }];
  return world.temporal.client.workflow.execute('stranger', { taskQueue: strangersQueue, workflowId, args });
}

describe('a workflow of a stranger', () => {
  const served = names.filter((name) => !provisionNames.includes(name));

  it.each(served)('that schedules %s changes nothing, and is told that it may not', async (activity) => {
    const before = await everything();
    for (const payload of ATTACKS[activity]()) {
      expect(await attack(activity, payload, `stranger/${randomUUID()}`)).toMatch(/was called by|rejected its payload/);
    }
    expect(await everything()).toEqual(before);
  });

  it.each(syncNames.filter((name) => name !== 'adoptPlan'))(
    'that has taken the id of a sync changes nothing by %s either',
    async (activity) => {
      const before = await everything();
      for (const payload of ATTACKS[activity]()) {
        await attack(activity, payload, syncWorkflowId(world.registry, 'servers', 9_999));
      }
      expect(await everything()).toEqual(before);
    },
  );

  it('that has taken the id of a sync can put no revision and no counts into the history of the source', async () => {
    const forged = outcome({ revision: foreignCommit, counts: GREEDY });
    await attack('recordSyncRun', [request(), forged], syncWorkflowId(world.registry, 'servers', 9_999));
    const runs = await world.query('SELECT revision, counts FROM sync_run ORDER BY started_at DESC LIMIT 1');
    expect(runs).toEqual([{ revision: null, counts: null }]);
  });
});

describe('a payload of the true workflow that is wrong', () => {
  /** Activities called outside a worker. The caller is not checked there, so the checks that follow are tested. */
  const activities = () =>
    registryActivities({
      resources: world.documents,
      minSyncIntervalMs: 100,
      unprovision: unprovisionStored(
        new RegistryCatalogue(world.dataSource),
        world.documents,
        join(world.syncWorker.directory, 'cache'),
      ),
    }) as Pick<Activities, (typeof REGISTRY_ACTIVITIES)[number]>;

  it.each(REGISTRY_ACTIVITIES)('changes nothing by %s', async (activity) => {
    const canary = join(world.syncWorker.directory, 'cache', world.registry.uid, 'canary');
    await mkdir(join(canary, '..'), { recursive: true });
    await writeFile(canary, 'alive');
    const before = await everything();
    for (const payload of ATTACKS[activity]()) {
      await (activities()[activity] as (...payload: readonly unknown[]) => Promise<unknown>)(...payload).catch(
        () => undefined,
      );
    }
    expect(await everything()).toEqual(before);
  });

  it('removes no files of a registry by the name of another, or of one that does not exist', async () => {
    const canary = join(world.syncWorker.directory, 'cache', world.registry.uid, 'of-the-registry');
    await mkdir(join(canary, '..'), { recursive: true });
    await writeFile(canary, 'alive');
    const before = await everything();
    for (const ref of [{ name: 'other' }, { namespace: 'other' }])
      await activities().tearDown({ ...world.registry, ...ref });
    expect(await everything()).toEqual(before);
  });

  it('does not tear down a registry that is not under deletion', async () => {
    await expect(activities().tearDown(world.registry)).rejects.toMatchObject({
      nonRetryable: true,
      type: 'Cancelled',
      message: expect.stringContaining('not being deleted'),
    });
  });
});

describe('provisioning for a stranger', () => {
  it.each(provisionNames)('makes nothing by %s', async (activity) => {
    const api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
    const namespace = await createNamespace(api);
    const tools = await ProvisionedRegistry.create(api, namespace, {});
    const strangers = [{ ...tools.ref, uid: randomUUID() }, ...OUTSIDE.map((uid) => ({ ...tools.ref, uid }))];
    for (const registry of strangers) {
      const called = tools.call(activity as never, registry);
      if (activity === 'findContenders') await called.catch(() => undefined);
      else await expect(called).rejects.toMatchObject({ nonRetryable: true });
    }
    const made = await Promise.all(CHILDREN.map(([kind, name]) => api.get(kind, namespace, name)));
    expect(made.filter(Boolean)).toEqual([]);
    await api.close();
  });
});
