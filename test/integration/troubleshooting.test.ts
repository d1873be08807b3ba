import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Condition, RegistryPhase } from '#domain/status/registry-status.js';
import type { RegistryApi } from '#registry-api/start-registry-api.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import type { GitRepository } from '#sources/testing/git-repository.js';
import { startGitHttpServer } from '#sources/testing/git-http-server.js';
import { RegistryWorld } from '#support/registry-world.js';
import { configMap } from '#support/standalone-process.js';
import { conditionOf, TroubledRegistry } from '#support/troubled-registry.js';
import type { Setting } from '#support/troubled-registry.js';
import { entries, UpstreamRegistry } from '#support/upstream-registry.js';

const SERVERS = 3;
const CATALOGUE = toolhiveCatalogue(SERVERS);
const PATH = 'registry.json';

/** How a source is broken, what the user is told, and how the source is repaired. */
interface Trouble {
  /** The manifest while nothing is wrong. */
  readonly good: Setting;
  /** Breaks the source itself, or returns the changes that break the manifest. */
  breaks(): Promise<Partial<Setting> | void> | Partial<Setting> | void;
  /** Undoes the damage. The manifest itself is reset to `good`. */
  mends?(): Promise<void> | void;
  /** Expected phase. Default: `Failed`. */
  readonly phase?: RegistryPhase;
  readonly reason: Condition['reason'];
  readonly condition?: 'SourceAvailable' | 'DataValid' | 'SyncSuccessful';
  /** Returns texts that the message must contain. */
  says(): readonly (string | RegExp)[];
}

let world: RegistryWorld;
let api: RegistryApi;
let volumes: string;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  volumes = await mkdtemp(join(tmpdir(), 'troubleshooting-'));
  world = await RegistryWorld.start({
    temporalAddress: inject('temporalAddress'),
    manifests: '',
    volumes: ['data', 'late'].map((claim) => [claim, join(volumes, claim)] as const),
  });
  api = await world.serve();
});

afterAll(async () => {
  await world?.stop();
  for (const end of ends) await end();
  await rm(volumes, { recursive: true, force: true });
});

async function repositoryWith(content = CATALOGUE): Promise<GitRepository> {
  const repository = await createGitRepository();
  ends.push(() => repository[Symbol.asyncDispose]());
  await repository.commit({ [PATH]: content });
  return repository;
}

interface GitTrouble extends Pick<Trouble, 'phase' | 'reason' | 'condition'> {
  readonly basicAuth?: { readonly username: string; readonly password: string };
  readonly git?: object;
  readonly documents?: readonly object[];
  breaks(repository: GitRepository, good: Setting): ReturnType<Trouble['breaks']>;
  mends?(repository: GitRepository): Promise<unknown>;
  says(repository: GitRepository): readonly (string | RegExp)[];
}

/** Creates a case with a repository behind git's own HTTP server. */
async function git({ basicAuth, git: block, documents, ...trouble }: GitTrouble): Promise<Trouble> {
  const repository = await repositoryWith();
  const { directory } = repository;
  const server = await startGitHttpServer({ repository: directory, ...(basicAuth ? { basicAuth } : {}) });
  ends.push(() => server[Symbol.asyncDispose]());
  const good: Setting = {
    source: { git: { repository: `${server.url}/${basename(directory)}`, branch: 'main', path: PATH, ...block } },
    ...(documents ? { documents } : {}),
  };
  return {
    ...trouble,
    good,
    breaks: () => trouble.breaks(repository, good),
    mends: async () => void (await trouble.mends?.(repository)),
    says: () => trouble.says(repository),
  };
}

interface ApiTrouble extends Pick<Trouble, 'reason' | 'condition' | 'says'> {
  readonly timeout?: string;
  answer(request: IncomingMessage, response: ServerResponse): void;
}

/** Creates a case with an upstream registry that sends other responses while it is broken. */
async function upstreamThat({ timeout, answer, ...trouble }: ApiTrouble): Promise<Trouble> {
  const upstream = new UpstreamRegistry();
  ends.push(() => upstream.close());
  upstream.entries = entries(SERVERS);
  return {
    ...trouble,
    good: { source: { api: { endpoint: await upstream.listen(), ...(timeout === undefined ? {} : { timeout }) } } },
    breaks: () => void (upstream.instead = (request, response) => (answer(request, response), true)),
    mends: () => void (upstream.instead = undefined),
  };
}

const withPath = ({ source }: Setting, change: object): Partial<Setting> => {
  const { git: block } = source as { git: object };
  return { source: { git: { ...block, ...change } } };
};
const secret = (name: string, stringData: object) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
});
const fromConfigMap = (name: string) => ({ configMapRef: { name, key: PATH } });
const json = (response: ServerResponse, status: number, body: object) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const TROUBLES: Record<string, () => Trouble | Promise<Trouble>> = {
  'the git repository is gone': () =>
    git({
      reason: 'RepositoryNotFound',
      breaks: ({ directory }) => rename(directory, `${directory}-away`),
      mends: ({ directory }) => rename(`${directory}-away`, directory),
      says: ({ directory }) => [basename(directory), 'does not exist', 'git.repository'],
    }),
  'the branch does not exist': () =>
    git({
      reason: 'RefNotFound',
      breaks: (_, good) => withPath(good, { branch: 'mian' }),
      says: () => ['mian', 'main'],
    }),
  'the file is missing at the ref': async () => {
    let commit = '';
    return git({
      reason: 'FileNotFound',
      breaks: async (repository) =>
        void (commit = await repository.commit({ [PATH]: undefined, 'data/registry.json': CATALOGUE })),
      mends: (repository) => repository.commit({ [PATH]: CATALOGUE }),
      says: () => ['main', commit, PATH, 'data/registry.json'],
    });
  },
  'the password is wrong': () => {
    const keys = { user: 'robot', password: 'right-4c1f', other: 'unused' };
    const auth = { username: 'robot', passwordSecretRef: { name: 'git-wrong-password', key: 'password' } };
    return git({
      reason: 'AuthFailed',
      basicAuth: { username: 'robot', password: keys.password },
      git: { auth },
      documents: [secret('git-wrong-password', keys)],
      breaks: () => ({ documents: [secret('git-wrong-password', { ...keys, password: 'wrong-77aa' })] }),
      says: () => ['credentials', 'git.auth', /^(?!.*(wrong-77aa|right-4c1f))/],
    });
  },
  'the Secret has not the key': () => {
    const auth = { username: 'robot', passwordSecretRef: { name: 'git-no-key', key: 'password' } };
    return git({
      phase: 'Pending',
      reason: 'KeyNotFound',
      basicAuth: { username: 'robot', password: 'p' },
      git: { auth },
      documents: [secret('git-no-key', { password: 'p' })],
      breaks: () => ({ documents: [secret('git-no-key', { passwort: 'p' })] }),
      says: () => ['git-no-key', 'has no key password', /^(?!.*passwort)/],
    });
  },
  'the file is not valid JSON': () =>
    git({
      reason: 'InvalidData',
      condition: 'DataValid',
      breaks: async (repository) =>
        void (await repository.commit({ [PATH]: '{\n  "version": "1.0.0",\n  "servers": {,}\n}' })),
      mends: (repository) => repository.commit({ [PATH]: CATALOGUE }),
      says: () => [PATH, 'main', 'line 3, column 15'],
    }),
  'the file has the other format': () =>
    git({
      reason: 'FormatMismatch',
      condition: 'DataValid',
      breaks: async (repository) => {
        const servers = [{ name: 'a/b', description: 'd', version: '1.0.0' }];
        const upstream = { version: '1.0.0', meta: { last_updated: '2026-01-01T00:00:00Z' }, data: { servers } };
        await repository.commit({ [PATH]: JSON.stringify(upstream) });
      },
      mends: (repository) => repository.commit({ [PATH]: CATALOGUE }),
      says: () => ['format toolhive', 'upstream'],
    }),
  'the ConfigMap is not there': () => ({
    good: { source: fromConfigMap('gone'), documents: [configMap('gone', CATALOGUE)] },
    breaks: () => ({ documents: [] }),
    phase: 'Pending',
    reason: 'ConfigMapNotFound',
    says: () => ['gone'],
  }),
  'the ConfigMap has not the key': () => ({
    good: { source: fromConfigMap('keyless'), documents: [configMap('keyless', CATALOGUE)] },
    breaks: () => ({
      documents: [{ ...configMap('keyless', ''), data: { 'registri.json': CATALOGUE } }],
    }),
    phase: 'Pending',
    reason: 'KeyNotFound',
    says: () => ['keyless', PATH, 'registri.json'],
  }),
  'the volume is not there': async () => {
    const directory = join(volumes, 'data');
    await mkdir(directory);
    await writeFile(join(directory, PATH), CATALOGUE);
    return {
      good: { source: { pvcRef: { claimName: 'data', path: PATH } } },
      breaks: () => rename(directory, `${directory}-away`),
      mends: () => rename(`${directory}-away`, directory),
      phase: 'Pending',
      reason: 'PVCNotFound',
      says: () => ['data'],
    };
  },
  'the API answers 500': () =>
    upstreamThat({
      reason: 'FetchFailed',
      answer: (_, response) => json(response, 500, { error: 'out of order' }),
      says: () => ['/servers', '500', 'out of order'],
    }),
  'the API answers 429, for an hour': () =>
    upstreamThat({
      reason: 'FetchFailed',
      answer: (_, response) => json(response.setHeader('retry-after', '3600'), 429, {}),
      says: () => ['/servers', '429'],
    }),
  'the API answers with HTML': () =>
    upstreamThat({
      reason: 'FormatMismatch',
      condition: 'DataValid',
      answer: (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><p>Log in'),
      says: () => ['/servers', 'HTML', 'api.endpoint'],
    }),
  'the API wants a login': () =>
    upstreamThat({
      reason: 'AuthFailed',
      answer: (_, response) => json(response, 401, { error: 'who are you' }),
      says: () => ['401', 'who are you', 'login'],
    }),
  'the API has an endless cursor': () =>
    upstreamThat({
      reason: 'InvalidData',
      condition: 'DataValid',
      answer: (request, response) => {
        const isFirst = !request.url?.includes('cursor=');
        const server = { name: isFirst ? 'a/first' : 'a/again', description: 'd', version: '1.0.0' };
        json(response, 200, { servers: [{ server, _meta: {} }], metadata: { count: 1, nextCursor: 'round' } });
      },
      says: () => ['/servers', 'cursor', 'before'],
    }),
  'the API has lost all its servers': () =>
    upstreamThat({
      reason: 'ShrinkGuard',
      condition: 'SyncSuccessful',
      answer: (_, response) => json(response, 200, { servers: [], metadata: { count: 0 } }),
      says: () => [`remove ${SERVERS} of ${SERVERS}`, 'trigger a sync to accept'],
    }),
  'the API redirects to an address where no source may be': () =>
    upstreamThat({
      reason: 'FetchFailed',
      answer: (_, response) => response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
      says: () => ['169.254.169.254'],
    }),
  'the API sends a body without end': () =>
    upstreamThat({
      reason: 'InvalidData',
      condition: 'DataValid',
      answer: (_, response) => pour(response),
      says: () => ['/servers', 'more than 33554432 bytes'],
    }),
  'the API takes the connection and hangs': () =>
    upstreamThat({
      timeout: '1s',
      reason: 'Unreachable',
      answer: () => undefined,
      says: () => ['/servers', 'did not respond within 1s'],
    }),
  'the API is no longer there': async () => {
    const server = createServer((_, response) => {
      const servers = entries(SERVERS).map(({ name }) => ({ server: { name, description: 'd', version: '1.0.0' } }));
      json(response, 200, { servers, metadata: { count: SERVERS } });
    });
    const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await listen(0);
    const { port } = server.address() as { port: number };
    const close = () => {
      server.close();
      server.closeAllConnections();
    };
    ends.push(close);
    return {
      good: { source: { api: { endpoint: `http://127.0.0.1:${port}` } } },
      breaks: close,
      mends: () => listen(port),
      reason: 'Unreachable',
      says: () => [`127.0.0.1:${port}`, 'cannot be reached'],
    };
  },
};

/** Sends an endless body as fast as the client reads it. */
function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(256 * 1024, ' ');
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"servers": [');
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more).on('error', () => undefined);
  more();
}

describe.concurrent(
  'the status reports the problem, the API continues, and a fix is sufficient, when',
  { timeout: 500_000 },
  () => {
    it.each(Object.entries(TROUBLES))('%s', async (what, make) => {
      const { good, breaks, mends, phase = 'Failed', reason, condition = 'SourceAvailable', says } = await make();
      const registry = new TroubledRegistry(
        world,
        api.url,
        what.replaceAll(/\W+/g, '-').toLowerCase().slice(0, 45),
        good,
      );
      await registry.apply();
      const before = await registry.status((status) => status.phase === 'Ready');
      expect(before.syncStatus).toMatchObject({ phase: 'Complete', serverCount: SERVERS });
      const names = await registry.serves(SERVERS);

      await registry.trigger((await breaks()) ?? {});
      const broken = await registry.status((status) => conditionOf(status, 'SyncSuccessful')?.reason === reason);
      expect(broken.phase).toBe(phase);
      expect(broken.syncStatus?.phase).toBe('Failed');
      expect(conditionOf(broken, condition)).toMatchObject({ status: 'False', reason });
      for (const text of says()) expect(broken.message).toMatch(text);
      // Nothing good is lost, neither in the status nor for clients.
      expect(broken.message).toContain('still being served');
      expect(conditionOf(broken, 'Ready')).toMatchObject({ status: 'True' });
      const { lastSyncTime, lastSyncHash } = before.syncStatus ?? {};
      expect(broken.syncStatus).toMatchObject({ lastSyncTime, lastSyncHash, serverCount: SERVERS });
      expect(await registry.served()).toEqual(names);

      await mends?.();
      await registry.trigger(good);
      const mended = await registry.status((status) => status.phase === 'Ready');
      expect(mended.syncStatus).toMatchObject({ phase: 'Complete', attemptCount: 0, serverCount: SERVERS });
      expect(conditionOf(mended, condition)).toMatchObject({ status: 'True' });
      expect(await registry.served()).toEqual(names);
    });
  },
);

interface Absence {
  readonly absent: Setting;
  readonly reason: Condition['reason'];
  readonly says: readonly string[];
  /** Creates the missing object, and returns changes of the manifest, if any. */
  create(): Promise<Partial<Setting>> | Partial<Setting>;
  /** Whether a sync trigger is needed. Only the arrival of a volume is not announced. */
  readonly wantsTrigger?: true;
}

const ABSENCES: Record<string, () => Absence> = {
  'a ConfigMap': () => ({
    absent: { source: fromConfigMap('late') },
    reason: 'ConfigMapNotFound',
    says: ['late'],
    create: () => ({ documents: [configMap('late', CATALOGUE)] }),
  }),
  'a key of a ConfigMap': () => ({
    absent: { source: fromConfigMap('late-key'), documents: [{ ...configMap('late-key', ''), data: { other: 'x' } }] },
    reason: 'KeyNotFound',
    says: ['late-key', PATH],
    create: () => ({ documents: [configMap('late-key', CATALOGUE)] }),
  }),
  'a volume': () => ({
    absent: { source: { pvcRef: { claimName: 'late', path: PATH } } },
    reason: 'PVCNotFound',
    says: ['late'],
    wantsTrigger: true,
    async create() {
      await mkdir(join(volumes, 'late'));
      await writeFile(join(volumes, 'late', PATH), CATALOGUE);
      return {};
    },
  }),
};

describe.concurrent('the registry is Pending until a user creates', { timeout: 500_000 }, () => {
  it.each(Object.entries(ABSENCES))('%s', async (what, make) => {
    const { absent, reason, says, create, wantsTrigger } = make();
    const registry = new TroubledRegistry(world, api.url, `without-${what.replaceAll(' ', '-').toLowerCase()}`, absent);
    await registry.apply();
    const pending = await registry.status((status) => conditionOf(status, 'SourceAvailable')?.reason === reason);
    expect(pending.phase).toBe('Pending');
    for (const text of says) expect(pending.message).toContain(text);
    expect(conditionOf(pending, 'Ready')).toMatchObject({ status: 'False' });
    expect(await registry.served()).toEqual([]);

    const created = await create();
    await (wantsTrigger ? registry.trigger(created) : registry.apply(created));
    const mended = await registry.status((status) => status.phase === 'Ready');
    expect(mended.syncStatus).toMatchObject({ phase: 'Complete', serverCount: SERVERS });
    await registry.serves(SERVERS);
  });
});

describe.concurrent(
  'a sync after which nothing is served is a success with a warning, when',
  { timeout: 500_000 },
  () => {
    it('the filter excludes everything, at once and until it is edited', async () => {
      const source = fromConfigMap('filtered');
      const registry = new TroubledRegistry(world, api.url, 'filtered', {
        source,
        documents: [configMap('filtered', CATALOGUE)],
      });
      await registry.apply();
      const before = await registry.status((status) => status.phase === 'Ready');
      await registry.serves(SERVERS);

      await registry.apply({ source: { ...source, filter: { names: { include: ['official/*'] } } } });
      const filtered = await registry.status((status) => status.syncStatus?.serverCount === 0);
      expect(filtered.phase).toBe('Ready');
      expect(filtered.syncStatus).toMatchObject({ phase: 'Complete', lastSyncHash: before.syncStatus?.lastSyncHash });
      expect(filtered.message).toContain(`servers: the filter leaves out all ${SERVERS} servers`);
      expect(filtered.lastAppliedFilterHash).not.toBe(before.lastAppliedFilterHash);
      await registry.serves(0);

      await registry.apply({ source });
      const mended = await registry.status((status) => status.syncStatus?.serverCount === SERVERS);
      expect(mended.message).not.toContain('filter');
      expect(mended.lastAppliedFilterHash).toBe(before.lastAppliedFilterHash);
      await registry.serves(SERVERS);
    });

    it('an API has no servers yet', async () => {
      const upstream = new UpstreamRegistry();
      ends.push(() => upstream.close());
      const registry = new TroubledRegistry(world, api.url, 'empty-at-first', {
        source: { api: { endpoint: await upstream.listen() } },
      });
      await registry.apply();
      const empty = await registry.status((status) => status.phase === 'Ready');
      expect(empty.syncStatus).toMatchObject({ phase: 'Complete', serverCount: 0 });
      expect(empty.message).toContain('servers: the source holds no servers');

      upstream.entries = entries(SERVERS);
      await registry.trigger();
      const filled = await registry.status((status) => status.syncStatus?.serverCount === SERVERS);
      expect(filled.message).not.toContain('holds no servers');
      await registry.serves(SERVERS);
    });
  },
);
