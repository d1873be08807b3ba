import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { startGitHttpServer } from '#sources/testing/git-http-server.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { selfSigned, signed } from '#support/certificates.js';
import type { Certificate } from '#support/certificates.js';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { ServerPod } from '#support/server-pod.js';
import { listServers } from '#support/standalone-process.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';

let ends: AsyncDisposableStack;
let directory: string;
let authority: Certificate;

beforeEach(async () => {
  ends = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), 'private-authority-'));
  ends.defer(() => rm(directory, { recursive: true, force: true }));
  authority = await selfSigned(directory, 'authority');
});

afterEach(() => ends.disposeAsync());

/** Creates a registry with this configuration, and returns a function that creates its pods. No pod is running yet. */
async function deploy(config: object) {
  const configYAML = JSON.stringify({ auth: { mode: 'anonymous' }, ...config });
  const manifest = {
    apiVersion: 'toolhive.stacklok.dev/v1beta1',
    kind: 'MCPRegistry',
    metadata: { name: 'tools', namespace: 'team' },
    spec: { configYAML },
  };
  const temporalAddress = inject('temporalAddress');
  const manifests = JSON.stringify(manifest);
  const world = await RegistryWorld.start({ temporalAddress, manifests, withoutStore: true });
  ends.defer(() => world.stop());
  const { registry } = world;
  const createPod = async () => ends.use(await ServerPod.create({ registry, config: configYAML, temporalAddress }));
  return { world, createPod };
}

/** Mounts the bundle as the operator does, and sets the environment variable for it on the server. */
async function startTrusting(pod: ServerPod, podHash: string, env: Record<string, string> = {}): Promise<void> {
  const bundle = 'config/ca-bundle.crt';
  await pod.mount(bundle, await readFile(authority.cert, 'utf8'));
  pod.start({ env: { NODE_EXTRA_CA_CERTS: join(pod.directory, bundle), ...env }, podHash });
}

const countServers = (pod: ServerPod, source: string) =>
  eventually(async () => (await listServers(`${pod.url}/registry/${source}`))?.length || undefined);

it('reaches git: a pod with the bundle syncs, and one without reports what is missing', async () => {
  const { cert, key } = await signed(directory, 'git', { ca: authority, altName: 'IP:127.0.0.1' });
  const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  const files = ends.use(await createGitRepository());
  await files.commit({ 'registry.json': toolhiveCatalogue(5) });
  const { url } = ends.use(await startGitHttpServer({ repository: files.directory, tls }));
  const repository = `${url}/${files.directory.split('/').at(-1)}`;
  const { world, createPod } = await deploy({ registries: [{ name: 'private', git: { repository } }] });

  const without = (await createPod()).start();
  const { failure } = await world.source('private', (facts) => facts.failure !== undefined);
  expect(failure).toMatchObject({ reason: 'Unreachable', message: expect.stringContaining('certificate authority') });
  await without.end();

  const pod = await createPod();
  await startTrusting(pod, 'pod-2');
  expect(await countServers(pod, 'private')).toBe(5);
});

it('reaches the database from every thread: migration, import and reads', async () => {
  const postgres = ends.use(await startTcpPostgres());
  const tls = await signed(directory, 'postgres', { ca: authority, altName: 'DNS:localhost' });
  await postgres.setUp({ tls, hba: ['hostssl all all 127.0.0.1/32 scram-sha-256'] });
  await postgres.asSuperuser(async (client) => {
    await client.query("CREATE ROLE db_app LOGIN PASSWORD 'a'");
    await client.query("CREATE ROLE db_migrator LOGIN PASSWORD 'm'");
    await client.query('CREATE DATABASE registry OWNER db_migrator');
  });
  const local = join(directory, 'local.json');
  await writeFile(local, toolhiveCatalogue(3));
  const { createPod } = await deploy({
    database: { host: 'localhost', port: postgres.port, sslMode: 'verify-full' },
    registries: [{ name: 'local', file: { path: local } }],
  });
  const pod = await createPod();
  await pod.mount('pgpass', '*:*:*:db_app:a\n*:*:*:db_migrator:m\n');
  await startTrusting(pod, 'pod-1', { PGPASSFILE: join(pod.directory, 'pgpass') });
  expect(await countServers(pod, 'local')).toBe(3);
});
