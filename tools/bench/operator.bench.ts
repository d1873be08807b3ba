import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import { adminAccess, startApiServer } from '#api-server/start-api-server.js';
import { createProgress } from '#devstack/progress.js';
import { obtainTool } from '#devstack/obtain-tool.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { kinds } from '#kubernetes/kinds.js';
import type { KindName } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { startTemporalDevServer } from '#temporal/dev-server.js';
import { findFreePort } from '#temporal/free-port.js';
import type { Bench } from './bench.js';
import { OperatorProcess } from './operator/operator-process.js';

const DEFAULT_COUNT = '200';
const LOOK_MS = 500;
const IDLE_MS = 15_000;
const IDLE_LOOKS = 4;
/** The kinds of objects that the operator creates for each registry. */
const MADE: readonly KindName[] = [
  'ConfigMap',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'Secret',
  'Deployment',
  'Service',
];
const OURS = 'app.kubernetes.io/managed-by=toolhive-operator';

/**
 * Creates many MCPRegistries at once on a bare API server, and measures how long it takes until all objects exist, and
 * what that costs.
 */
export const operatorBench: Bench = {
  name: 'operator',

  /** `count`: number of registries. Default: 200. */
  async run(count = DEFAULT_COUNT) {
    await using stack = new AsyncDisposableStack();
    const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-bench-'));
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const server = await startApiServer(join(directory, 'kubernetes'));
    stack.defer(() => server.stop());
    const temporal = await startTemporal(directory);
    stack.defer(() => temporal.stop());
    const api = new HttpKubernetesApi(adminAccess(server));
    stack.defer(() => api.close());
    await installCrd(api, await readCrd());
    const [healthPort, metricsPort] = [await findFreePort(28_080), await findFreePort(29_080)];
    const serviceAccount = join(directory, 'service-account');
    await mkdir(serviceAccount);
    await writeFile(join(serviceAccount, 'token'), server.adminToken);
    await writeFile(join(serviceAccount, 'ca.crt'), server.ca);
    const { hostname, port } = new URL(server.server);
    const operator = await OperatorProcess.start(
      {
        // Use the same access as in a pod, because a client library that reads kubeconfigs is large.
        KUBERNETES_SERVICE_HOST: hostname,
        KUBERNETES_SERVICE_PORT: port,
        SERVICE_ACCOUNT_DIR: serviceAccount,
        TEMPORAL_ADDRESS: temporal.address,
        TOOLHIVE_REGISTRY_API_IMAGE: 'registry.example.com/server:1',
        METRICS_PORT: String(metricsPort),
        LOG_LEVEL: 'error',
      },
      healthPort,
    );
    stack.use(operator);

    const names = Array.from({ length: Number(count) }, (_, index) => `registry-${index}`);
    const startedAtMs = performance.now();
    await Promise.all(names.map((name) => api.create(registry(name))));
    await allMade(api, names.length);
    const provisionedS = (performance.now() - startedAtMs) / 1000;
    await allReported(api, names.length);
    const reportedS = (performance.now() - startedAtMs) / 1000;
    const { peakMiB, cpuSeconds } = await operator.usage();

    const metrics = new HttpTransport(adminAccess(server));
    stack.defer(() => metrics.close());
    // The last reports may take a few more seconds. After that, nothing is left to write.
    let idle = Infinity;
    for (let look = 0; look < IDLE_LOOKS && idle > 0; look++) {
      const before = await writes(metrics);
      await sleep(IDLE_MS);
      idle = (await writes(metrics)) - before;
    }
    const load = `load average ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`;
    return [
      {
        title: `Operator: ${count} MCPRegistries at once on an API server alone; ${load}`,
        head: [
          'registries',
          'all made s',
          'all reported s',
          'operator peak MiB',
          'CPU s',
          `writes in ${IDLE_MS / 1000} s idle`,
        ],
        rows: [
          [count, provisionedS.toFixed(1), reportedS.toFixed(1), Math.round(peakMiB), cpuSeconds.toFixed(1), idle],
        ],
      },
    ];
  },
};

async function startTemporal(directory: string) {
  const progress = createProgress();
  const binary = await obtainTool('temporal', { progress, signal: new AbortController().signal });
  progress.done();
  return startTemporalDevServer({
    binary,
    dataFile: join(directory, 'temporal.db'),
    port: 27_233,
    uiPort: 28_233,
    logFile: join(directory, 'temporal.log'),
    recordFile: join(directory, 'temporal.json'),
    log: () => undefined,
  });
}

function registry(name: string): KubernetesObject {
  const source = { name: 's', configMapRef: { name: 'catalogue', key: 'registry.json' } };
  const spec = { auth: { mode: 'anonymous' }, registries: [source] };
  const object = {
    apiVersion: kinds.MCPRegistry.apiVersion,
    kind: 'MCPRegistry',
    metadata: { name, namespace: 'default' },
    spec,
  };
  return object;
}

/** Waits until all objects exist. Throws if an object was created twice. */
async function allMade(api: HttpKubernetesApi, count: number): Promise<void> {
  for (;;) {
    const selection = { namespace: 'default', labelSelector: OURS, metadataOnly: true };
    const lists = await Promise.all(MADE.map((kind) => api.list(kind, selection)));
    if (lists.some(({ items }) => items.length > count)) throw new Error('an object was created twice');
    if (lists.every(({ items }) => items.length === count)) return;
    await sleep(LOOK_MS);
  }
}

interface Reported extends KubernetesObject {
  readonly status?: { readonly apiStatus?: { readonly phase?: string } };
}

async function allReported(api: HttpKubernetesApi, count: number): Promise<void> {
  for (;;) {
    const { items } = await api.list<Reported>('MCPRegistry', { namespace: 'default' });
    if (items.filter(({ status }) => status?.apiStatus?.phase === 'Deploying').length === count) return;
    await sleep(LOOK_MS);
  }
}

/** Returns the API server's own count of write requests, except for the resources that it writes for itself. */
async function writes(transport: HttpTransport): Promise<number> {
  const lines = transport.lines(
    { method: 'GET', path: '/metrics', accept: 'text/plain', attempt: 'read metrics' },
    10_000,
  );
  let sum = 0;
  for await (const line of lines) {
    if (!/^apiserver_request_total\{.*verb="(APPLY|PATCH|POST|PUT|DELETE)"/.test(line)) continue;
    if (/resource="(leases|apiservices|flowschemas|prioritylevelconfigurations)"/.test(line)) continue;
    sum += Number(line.split(' ').at(-1));
  }
  return sum;
}
