import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { createGitRepository } from '#sources/testing/git-repository.js';
import { startGitHttpServer } from '#sources/testing/git-http-server.js';
import { fetchInPod } from './support/client-pod.js';
import { startClusterPostgres } from './support/cluster-postgres.js';
import { apply, deleteNamespaces, ensureNamespace, get, helm, kubectl, list, until } from './support/cluster.js';
import type { KubernetesObject, PodObject } from './support/cluster.js';
import { annotate, awaitReady, createRegistry, servers } from './support/registry.js';
import type { DeployedRegistry } from './support/registry.js';
import { upstreamCatalogue } from './support/sources.js';
import type { TcpPostgres } from '../support/tcp-postgres.js';

/**
 * Tests the promises about upgrades, outages and restores with real pods: the findings A1 to A4 of the durability
 * review.
 */

/** The same image under another name that the cluster also knows. */
const OTHER_IMAGE = process.env['E2E_OTHER_IMAGE'] ?? '';
/** Longer than a pod that is alone waits for its sources. */
const OUTAGE_MS = 45_000;
const FULL = ['com.example/one', 'com.example/two'];
const namespaces: string[] = [];

afterAll(() => deleteNamespaces([...namespaces, 'promises-postgres']));

async function namespaceFor(name: string): Promise<string> {
  const namespace = `e2e-${name}`;
  namespaces.push(namespace);
  await ensureNamespace(namespace);
  return namespace;
}

async function writeCatalogue(namespace: string, names: readonly string[]): Promise<void> {
  const data = { 'registry.json': upstreamCatalogue(names) };
  await apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'catalogue' }, data }], namespace);
}

const FROM_CONFIG_MAP = {
  name: 'local',
  format: 'upstream',
  configMapRef: { name: 'catalogue', key: 'registry.json' },
};
const ANONYMOUS = { auth: { mode: 'anonymous' } };

const namesIn = async (registry: DeployedRegistry, source: string) =>
  (await servers(registry, source)).servers.map(({ server }) => server.name);

/**
 * Reads a list repeatedly until `work` is done. Returns each response that differs from the full list. A connection
 * that fails because the Service's endpoints are out of date is retried, as clients do. Failures count only if they
 * last for 10 s.
 */
async function readDuring(registry: DeployedRegistry, source: string, work: Promise<unknown>): Promise<string[]> {
  const faults: string[] = [];
  const over = new AbortController();
  let answeredAtMs = Date.now();
  const reading = (async () => {
    while (!over.signal.aborted) {
      const names = await namesIn(registry, source).catch((error: Error) => error.message);
      if (Array.isArray(names)) {
        answeredAtMs = Date.now();
        if (JSON.stringify(names) !== JSON.stringify(FULL)) faults.push(JSON.stringify(names));
      } else if (Date.now() - answeredAtMs > 10_000) faults.push(names);
      await sleep(100);
    }
  })();
  await work.finally(() => over.abort());
  await reading;
  return faults;
}

const podsOf = ({ namespace, name }: DeployedRegistry) =>
  list<PodObject>('pods', namespace, `app.kubernetes.io/instance=${name}`);

const rolledOut = ({ namespace, name }: DeployedRegistry) =>
  kubectl(['rollout', 'status', `deployment/${name}-api`, '--namespace', namespace, '--timeout', '180s']);

interface DeploymentObject extends KubernetesObject {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } };
  };
}

const imageOf = async ({ namespace, name }: DeployedRegistry) =>
  (await get<DeploymentObject>('deployment', `${name}-api`, namespace)).spec.template.spec.containers[0]?.image;

/** Copies a folder, including owners and timestamps. */
const copyFolder = (from: string, to: string) => promisify(execFile)('cp', ['--archive', from, to]);

/** The provider from the documentation, which verifies tokens of the cluster's ServiceAccounts. */
const CLUSTER_PROVIDER = {
  name: 'kubernetes',
  issuerUrl: 'https://kubernetes.default.svc.cluster.local',
  jwksUrl: 'https://kubernetes.default.svc/openid/v1/jwks',
  audience: 'registry-server',
  caCertPath: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  authTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
  allowPrivateIP: true,
};

/** Creates a database with its two roles, and the Secret with their passwords. Returns the `databaseConfig`. */
async function createDatabase(postgres: TcpPostgres, namespace: string, service: string): Promise<object> {
  await postgres.asSuperuser(async (client) => {
    await client.query("CREATE ROLE db_app LOGIN PASSWORD 'app'");
    await client.query("CREATE ROLE db_migrator LOGIN PASSWORD 'migrator'");
    await client.query('CREATE DATABASE registry OWNER db_migrator');
  });
  const stringData = { app: 'app', migrator: 'migrator' };
  await apply([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'passwords' }, stringData }], namespace);
  return {
    host: `${service}.promises-postgres.svc.cluster.local`,
    database: 'registry',
    user: 'db_app',
    migrationUser: 'db_migrator',
    sslMode: 'verify-full',
    dbAppUserPasswordSecretRef: { name: 'passwords', key: 'app' },
    dbMigrationUserPasswordSecretRef: { name: 'passwords', key: 'migrator' },
  };
}

describe('a registry', () => {
  it.skipIf(OTHER_IMAGE === '')('follows an upgrade while it is read (skipped without E2E_OTHER_IMAGE)', async () => {
    const namespace = await namespaceFor('upgraded');
    await writeCatalogue(namespace, FULL);
    const spec = { ...ANONYMOUS, registries: [FROM_CONFIG_MAP] };
    const registries = await Promise.all(['first', 'second'].map((name) => createRegistry(namespace, name, spec)));
    for (const registry of registries) await awaitReady(registry);
    const release = ['toolhive-operator', '--namespace', 'toolhive-system'];
    const wait = ['--wait', '--timeout', '3m'];
    const tag = OTHER_IMAGE.slice(OTHER_IMAGE.lastIndexOf(':') + 1);
    const upgrade = async () => {
      const chart = 'deploy/helm/mcp-registry-operator';
      await helm(['upgrade', ...release, chart, '--reuse-values', '--set-string', `image.tag=${tag}`, ...wait]);
      for (const registry of registries) {
        await until(
          `${registry.name} has the new image`,
          () => imageOf(registry),
          (image) => image === OTHER_IMAGE,
        );
        await rolledOut(registry);
      }
    };
    try {
      expect(await readDuring(registries[0]!, 'local', upgrade())).toEqual([]);
      for (const registry of registries) await awaitReady(registry);
    } finally {
      await helm(['rollback', ...release, ...wait]);
    }
  });

  it('serves what it had through a rolling update while its git host is down', async () => {
    await using repository = await createGitRepository();
    await repository.commit({ 'registry.json': upstreamCatalogue(FULL) });
    let isDown = false;
    await using host = await startGitHttpServer({
      repository: repository.directory,
      host: '0.0.0.0',
      intercept(request) {
        if (isDown) request.socket.destroy();
        return isDown;
      },
    });
    const address = `http://${inject('hostAddress')}:${new URL(host.url).port}/${repository.directory.split('/').at(-1)}`;
    const git = { repository: address, branch: 'main', path: 'registry.json' };
    const registry = await createRegistry(await namespaceFor('rolled'), 'rolled', {
      ...ANONYMOUS,
      registries: [{ name: 'host', format: 'upstream', git }],
    });
    await awaitReady(registry);
    isDown = true;
    const before = new Set((await podsOf(registry)).map(({ metadata }) => metadata.uid));
    const roll = async () => {
      await kubectl(['rollout', 'restart', 'deployment/rolled-api', '--namespace', registry.namespace]);
      await until(
        'there is another pod',
        () => podsOf(registry),
        (pods) => pods.length > before.size,
      );
      await sleep(OUTAGE_MS);
    };
    expect(await readDuring(registry, 'host', roll())).toEqual([]);
    expect((await podsOf(registry)).some(({ metadata }) => before.has(metadata.uid))).toBe(true);
    isDown = false;
    expect(await readDuring(registry, 'host', rolledOut(registry))).toEqual([]);
  });

  it('that is deleted and created again finds what was published to it', async () => {
    const namespace = await namespaceFor('recreated');
    await using postgres = await startClusterPostgres({ service: 'kept', namespace: 'promises-postgres' });
    const database = await createDatabase(postgres, namespace, 'kept');
    const spec = {
      auth: { mode: 'oauth', oauth: { providers: [CLUSTER_PROVIDER] } },
      databaseConfig: database,
      registries: [{ name: 'ours', managed: { writers: 'everyone' } }],
    };
    const registry = await createRegistry(namespace, 'kept', spec);
    await awaitReady(registry);
    const url = `http://kept-api.${namespace}:8080/registry/ours/v0.1`;
    const post = { name: FULL[0], description: 'Published once', version: '1.0.0' };
    const { audience } = CLUSTER_PROVIDER;
    expect(await fetchInPod({ namespace, name: 'publisher', url: `${url}/publish`, audience, post })).toMatchObject({
      status: 201,
    });
    await kubectl(['delete', 'mcpregistry', 'kept', '--namespace', namespace, '--timeout', '180s']);
    await createRegistry(namespace, 'kept', spec);
    await awaitReady(registry);
    const read = await fetchInPod({ namespace, name: 'reader', url: `${url}/servers`, audience });
    expect(JSON.parse(read.body)).toMatchObject({ servers: [{ server: { name: FULL[0] } }] });
  });

  it('whose database goes back in time serves what that holds, and no entity tag twice', async () => {
    const namespace = await namespaceFor('restored');
    await using postgres = await startClusterPostgres({ service: 'restored', namespace: 'promises-postgres' });
    const database = await createDatabase(postgres, namespace, 'restored');
    await writeCatalogue(namespace, FULL);
    const spec = { ...ANONYMOUS, databaseConfig: database, registries: [FROM_CONFIG_MAP] };
    const registry = await createRegistry(namespace, 'restored', spec);
    await awaitReady(registry);
    const [pod] = await podsOf(registry);
    const url = `http://restored-api.${namespace}:8080/registry/local/v0.1/servers`;
    let reads = 0;
    const etag = async () => (await fetchInPod({ namespace, name: `reader-${(reads += 1)}`, url })).etag;
    const serves = (names: readonly string[]) =>
      until(
        `it serves ${names.join(' and ')}`,
        () => namesIn(registry, 'local'),
        (served) => JSON.stringify(served) === JSON.stringify(names),
      );
    const tags = [await etag()];
    let backup = '';
    await postgres.whileStopped(async (folder) => {
      backup = `${folder}-backup`;
      await copyFolder(folder, backup);
    });
    await writeCatalogue(namespace, [...FULL, 'com.example/zero']);
    await serves([...FULL, 'com.example/zero']);
    tags.push(await etag());
    await postgres.whileStopped(async (folder) => {
      await rm(folder, { recursive: true });
      await copyFolder(backup, folder);
    });
    await serves(FULL);
    await annotate(registry, 'after-the-restore');
    await serves([...FULL, 'com.example/zero']);
    tags.push(await etag());
    expect(new Set(tags).size).toBe(tags.length);
    expect((await podsOf(registry)).map(({ metadata }) => metadata.uid)).toEqual([pod!.metadata.uid]);
  });
});
