import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { startGitHttpServer } from '#sources/testing/git-http-server.js';
import { createGitRepository } from '#sources/testing/git-repository.js';
import { toolhiveCatalogue } from '#support/catalogues.js';
import { selfSigned, signed } from '#support/certificates.js';
import { eventually } from '#support/eventually.js';
import { RegistryWorld } from '#support/registry-world.js';
import { ServerPod } from '#support/server-pod.js';
import { listServers } from '#support/standalone-process.js';

/** Whole processes are started here, one after the other. */
vi.setConfig({ testTimeout: 120_000 });

let ends: AsyncDisposableStack;

beforeEach(() => {
  ends = new AsyncDisposableStack();
});

afterEach(() => ends.disposeAsync());

/** A git server that only the authority in the file makes trustworthy. */
async function startPrivateGit(): Promise<{ repository: string; authority: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'private-authority-'));
  ends.defer(() => rm(directory, { recursive: true, force: true }));
  const ca = await selfSigned(directory, 'authority');
  const { cert, key } = await signed(directory, 'git', { ca, altName: 'IP:127.0.0.1' });
  const files = ends.use(await createGitRepository());
  await files.commit({ 'registry.json': toolhiveCatalogue(5) });
  const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
  const { url } = ends.use(await startGitHttpServer({ repository: files.directory, tls }));
  return { repository: `${url}/${files.directory.split('/').at(-1)}`, authority: await readFile(ca.cert, 'utf8') };
}

it('the CA bundle of a site reaches git: a pod that has it syncs, one without says what is missing', async () => {
  const { repository, authority } = await startPrivateGit();
  const config = { auth: { mode: 'anonymous' }, registries: [{ name: 'private', git: { repository } }] };
  const manifest = {
    apiVersion: 'toolhive.stacklok.dev/v1beta1',
    kind: 'MCPRegistry',
    metadata: { name: 'tools', namespace: 'team' },
    spec: { configYAML: JSON.stringify(config) },
  };
  const temporalAddress = inject('temporalAddress');
  const world = await RegistryWorld.start({
    temporalAddress,
    manifests: JSON.stringify(manifest),
    withoutStore: true,
  });
  ends.defer(() => world.stop());
  const { registry } = world;
  const create = async () =>
    ends.use(await ServerPod.create({ registry, config: JSON.stringify(config), temporalAddress }));

  const without = (await create()).start();
  const { failure } = await world.source('private', (facts) => facts.failure !== undefined);
  expect(failure).toMatchObject({ reason: 'Unreachable', message: expect.stringContaining('not trusted') });
  await without.end();

  // As the operator mounts it and says so.
  const bundle = 'config/ca-bundle.crt';
  const pod = await create();
  await pod.mount(bundle, authority);
  pod.start({ env: { NODE_EXTRA_CA_CERTS: join(pod.directory, bundle) }, podHash: 'pod-2' });
  expect(await eventually(async () => (await listServers(`${pod.url}/registry/private`))?.length || undefined)).toBe(5);
});
