import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createProgress } from '#devstack/progress.js';
import { untilSignal } from '#devstack/until-signal.js';
import { obtainTool } from '#devstack/obtain-tool.js';
import { createGitRepository } from '../../libs/sources/testing/git-repository.js';
import { startGitHttpServer } from '../../libs/sources/testing/git-http-server.js';
import { readFixture } from '../support/optional-fixture.js';
import { selfSigned } from '../support/certificates.js';
import type { Certificate } from '../support/certificates.js';
import { toolhiveCatalogue } from '../support/catalogues.js';
import { apply, ensureNamespace, helm, kubectl } from './support/cluster.js';
import { TemporalServer } from './support/temporal-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The image of the operator and the registries. */
    image: string;
    /** The address at which pods reach this machine. */
    hostAddress: string;
    /** Working tree of the repository that replaces https://github.com/stacklok/toolhive.git. */
    repository: string;
    /** Number of servers in the catalogue of the repository. */
    catalogueSize: number;
    temporalAddress: string;
    /** The certificate authority of the chart's `caBundle`. Nothing else trusts it. */
    authority: Certificate;
    /** Folder for the files of the servers of this run, such as `temporal.pid`. */
    directory: string;
  }
}

const OPERATOR_NAMESPACE = 'toolhive-system';
const RELEASE = 'toolhive-operator';
const CA_BUNDLE = 'e2e-authorities';
const CATALOGUE = 'pkg/registry/data/registry.json';
const TEMPORAL_PORT = 27_233;

/**
 * Installs the operator with its Helm chart into the cluster of KUBECONFIG, with Temporal and a git server on this
 * machine. Pods reach both at E2E_HOST_ADDRESS, which defaults to the node's own address.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const image = required('E2E_IMAGE', 'the image of this project, known to the cluster: npm run image -- OUT.tar');
  required('KUBECONFIG', 'a cluster, such as kind, k3d or ../shared/cluster/up');
  await kubectl(['version', '--output', 'json']);
  await helm(['version', '--short']);
  const hostAddress = process.env['E2E_HOST_ADDRESS'] ?? (await nodeAddress());

  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-e2e-'));
  starting.defer(() => rm(directory, { recursive: true, force: true }));

  const repository = starting.use(await createGitRepository());
  const catalogue = readFixture('catalogues/toolhive.json') ?? toolhiveCatalogue(100);
  await repository.commit({ [CATALOGUE]: catalogue });
  const git = starting.use(await startGitHttpServer({ repository: repository.directory, host: '0.0.0.0' }));
  const gitUrl = `http://${hostAddress}:${new URL(git.url).port}/${repository.directory.split('/').at(-1)}`;

  const temporalAddress = process.env['E2E_TEMPORAL_ADDRESS'] ?? `${hostAddress}:${TEMPORAL_PORT}`;
  if (process.env['E2E_TEMPORAL_ADDRESS'] === undefined) {
    const temporal = starting.use(new TemporalServer(await temporalBinary(), directory, TEMPORAL_PORT));
    await temporal.start();
  }

  await ensureNamespace(OPERATOR_NAMESPACE);
  const authority = await selfSigned(directory, 'private-authority');
  const bundle = { 'ca.crt': await readFile(authority.cert, 'utf8') };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: CA_BUNDLE }, data: bundle };
  await apply([configMap], OPERATOR_NAMESPACE);
  const [repositoryOfImage, tag = 'latest'] = splitImage(image);
  const values = join(directory, 'values.yaml');
  await writeFile(
    values,
    JSON.stringify({
      image: { repository: repositoryOfImage, tag },
      temporal: { address: temporalAddress },
      caBundle: { configMapName: CA_BUNDLE },
      registries: {
        sourceUrlRewrites: [
          `https://github.com/stacklok/toolhive.git=${gitUrl}`,
          'https://registry.example.com=http://my-registry-api.my-namespace:8080/registry/toolhive',
        ].join(','),
      },
    }),
  );
  const install = ['upgrade', '--install', RELEASE, 'deploy/helm/mcp-registry-operator', '--values', values];
  await helm([...install, '--namespace', OPERATOR_NAMESPACE, '--wait', '--timeout', '3m']);

  project.provide('image', image);
  project.provide('hostAddress', hostAddress);
  project.provide('repository', repository.directory);
  project.provide('catalogueSize', countServers(catalogue));
  project.provide('temporalAddress', temporalAddress);
  project.provide('authority', authority);
  project.provide('directory', directory);
  const started = starting.move();
  return async () => {
    // Delete the registries first, while the operator is there to clean them up, then the operator.
    await kubectl(['delete', 'mcpregistries', '--all', '--all-namespaces', '--timeout', '60s']).catch(() => undefined);
    await helm(['uninstall', RELEASE, '--namespace', OPERATOR_NAMESPACE, '--wait']).catch(() => undefined);
    await started.disposeAsync();
  };
}

function required(name: string, what: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`the end-to-end tests need ${name}: ${what}`);
  return value;
}

async function nodeAddress(): Promise<string> {
  const path = '{.items[0].status.addresses[?(@.type=="InternalIP")].address}';
  return kubectl(['get', 'nodes', '--output', `jsonpath=${path}`]);
}

/** Splits `host:port/name:tag` at the last colon, unless a slash follows it. */
function splitImage(image: string): [string, string?] {
  const colon = image.lastIndexOf(':');
  return colon > image.lastIndexOf('/') ? [image.slice(0, colon), image.slice(colon + 1)] : [image];
}

function countServers(catalogue: string): number {
  const { servers = {}, remote_servers: remotes = {} } = JSON.parse(catalogue) as Record<string, object>;
  return Object.keys(servers).length + Object.keys(remotes).length;
}

async function temporalBinary(): Promise<string> {
  const progress = createProgress();
  const binary = await untilSignal((signal) => obtainTool('temporal', { progress, signal }));
  progress.done();
  return binary;
}
