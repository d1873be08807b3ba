import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import { adminAccess, startApiServer } from '#api-server/start-api-server.js';
import { UnreliableProxy } from '#api-server/unreliable-proxy.js';
import { createProgress } from '#devstack/progress.js';
import { obtainTool } from '#devstack/obtain-tool.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import type { EmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { startTemporalDevServer } from '#temporal/dev-server.js';
import { Door } from '#temporal/testing/door.js';
import { childrenOf } from './process-table.js';
import { passwords } from './registry.js';
import { recordedPid } from './supervised-process.js';

const TEMPORAL_PORT = 30_000;
const TEMPORAL_UI_PORT = 30_100;

/** A process that the product depends on, found through its supervisor's record file. */
export interface Dependency {
  readonly name: string;
  readonly record: string;
  /** Whether the process does its work in child processes. */
  readonly hasChildren?: boolean;
}

/** Returns the pids of a dependency and its children; none if it is not running. */
export async function pidsOf({ record, hasChildren }: Dependency): Promise<number[]> {
  const pid = await recordedPid(record);
  if (pid === undefined) return [];
  return [pid, ...(hasChildren ? await childrenOf(pid) : [])];
}

/** Starts an API server with the CRD and the passwords of the databases, and a proxy in front of it. */
export async function startCluster(stack: AsyncDisposableStack, directory: string) {
  const home = join(directory, 'kubernetes');
  const server = await startApiServer(home);
  stack.defer(() => server.stop());
  const api = new HttpKubernetesApi(adminAccess(server));
  stack.defer(() => api.close());
  await installCrd(api, await readCrd());
  await api.apply(passwords());
  // The proxy uses the API server's self-signed certificate, so that clients that trust the API server also trust the
  // proxy.
  const [key = '', cert = ''] = await Promise.all(
    ['key', 'crt'].map((type) => readFile(join(home, 'certificates', `apiserver.${type}`), 'utf8')),
  );
  return {
    server,
    api,
    proxy: stack.use(await UnreliableProxy.before(adminAccess(server), { key, cert })),
    dependencies: {
      apiServer: { name: 'API server', record: join(home, 'kube-apiserver.json') },
      etcd: { name: 'etcd', record: join(home, 'etcd.json') },
    },
  };
}

/** Starts Postgres behind a `Door`, a proxy that can be closed. */
export async function startPostgres(stack: AsyncDisposableStack, directory: string, maxConnections: number) {
  const dataDirectory = join(directory, 'postgres');
  const postgres = await startEmbeddedPostgres({ dataDirectory, durable: true, maxConnections, log: ignore });
  stack.defer(() => postgres.stop());
  return {
    postgres,
    door: stack.use(await Door.to({ path: socketOf(postgres) })),
    dependency: { name: 'Postgres', record: join(postgres.data, '..', 'postgres.json'), hasChildren: true },
  };
}

/** Starts Temporal behind a `Door`, a proxy that can be closed. */
export async function startTemporal(stack: AsyncDisposableStack, directory: string) {
  const progress = createProgress();
  const binary = await obtainTool('temporal', { progress, signal: new AbortController().signal });
  progress.done();
  const home = join(directory, 'temporal');
  await mkdir(home);
  const recordFile = join(home, 'process.json');
  const temporal = await startTemporalDevServer({
    binary,
    dataFile: join(home, 'temporal.db'),
    port: TEMPORAL_PORT,
    uiPort: TEMPORAL_UI_PORT,
    logFile: join(home, 'log'),
    recordFile,
    log: ignore,
  });
  stack.defer(() => temporal.stop());
  return {
    address: temporal.address,
    door: stack.use(await Door.to({ host: '127.0.0.1', port: temporal.port })),
    dependency: { name: 'Temporal', record: recordFile },
  };
}

function socketOf({ connection: { host, port } }: EmbeddedPostgres): string {
  return join(host, `.s.PGSQL.${port}`);
}

function ignore(): void {}
