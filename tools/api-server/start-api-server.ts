import { generateKeyPairSync, randomBytes, randomInt } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createProgress } from '#devstack/progress.js';
import { obtainTool } from '#devstack/obtain-tool.js';
import type { ClusterAccess } from '#kubernetes/cluster-access.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { startDaemon } from '#subprocess/daemon.js';
import type { Daemon } from '#subprocess/daemon.js';
import { findFreePort } from '#temporal/free-port.js';

/** Everything that another process needs to access the API server as its administrator. */
export interface ApiServerAddress {
  readonly server: string;
  readonly ca: string;
  readonly adminToken: string;
  /**
   * Path of a kubeconfig with the same access. The current user is the administrator; a second context `nobody` has no
   * rights.
   */
  readonly kubeconfig: string;
}

export interface RunningApiServer extends ApiServerAddress {
  /** The process id of the API server. It changes if the server is killed and restarted. */
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Ports on 127.0.0.1. */
export interface ApiServerPorts {
  readonly etcd: number;
  readonly etcdPeers: number;
  readonly server: number;
}

/** Starts a real etcd and a real kube-apiserver, without controllers and without a kubelet. */
export async function startApiServer(directory: string, ports?: ApiServerPorts): Promise<RunningApiServer> {
  await mkdir(directory, { recursive: true });
  const { server, ...etcdPorts } = ports ?? (await somePorts());
  const etcd = await startEtcd(directory, etcdPorts);
  try {
    const { address, daemon } = await startKubeApiServer(directory, etcd.url, server);
    return {
      ...address,
      get pid() {
        return daemon.pid;
      },
      async stop() {
        await daemon.stop();
        await etcd.daemon.stop();
      },
    };
  } catch (error) {
    await etcd.daemon.stop();
    throw error;
  }
}

export function adminAccess({ server, ca, adminToken }: ApiServerAddress): ClusterAccess {
  return {
    server: new URL(server),
    credentials: async () => ({ headers: { authorization: `Bearer ${adminToken}` }, tls: { ca } }),
  };
}

async function startEtcd(
  directory: string,
  { etcd, etcdPeers }: Omit<ApiServerPorts, 'server'>,
): Promise<{ url: string; daemon: Daemon }> {
  const command = await obtain('etcd');
  const url = `http://127.0.0.1:${etcd}`;
  const peers = `http://127.0.0.1:${etcdPeers}`;
  const daemon = await startDaemon({
    ...place(directory, 'etcd'),
    command,
    args: [
      `--data-dir=${join(directory, 'etcd')}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peers}`,
      '--unsafe-no-fsync',
      '--log-level=error',
    ],
    ready: async () => (await fetch(`${url}/health`)).ok,
  });
  return { url, daemon };
}

async function startKubeApiServer(
  directory: string,
  etcdUrl: string,
  port: number,
): Promise<{ address: ApiServerAddress; daemon: Daemon }> {
  const command = await obtain('kube-apiserver');
  const server = `https://127.0.0.1:${port}`;
  const certificates = join(directory, 'certificates');
  const adminToken = randomBytes(16).toString('hex');
  const nobodyToken = randomBytes(16).toString('hex');
  const tokens = join(directory, 'tokens.csv');
  await writeFile(tokens, `${adminToken},admin,admin,system:masters\n${nobodyToken},nobody,nobody\n`);
  const serviceAccountKey = join(directory, 'service-account.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(serviceAccountKey, privateKey.export({ type: 'sec1', format: 'pem' }));

  // The server creates a self-signed certificate at its first start.
  const ca = () => readFile(join(certificates, 'apiserver.crt'), 'utf8');
  const daemon = await startDaemon({
    ...place(directory, 'kube-apiserver'),
    command,
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--cert-dir=${certificates}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      // Enabled as in real clusters, where Pod Security restricts pods, not this flag.
      '--allow-privileged=true',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      // A range as large as in a real cluster, because each registry has a Service.
      '--service-cluster-ip-range=10.0.0.0/16',
      // No controller runs here, so the service account that this plug-in requires would never be created.
      '--disable-admission-plugins=ServiceAccount',
    ],
    ready: async () => {
      const address = { server, ca: await ca(), adminToken, kubeconfig: '' };
      const transport = new HttpTransport(adminAccess(address));
      await Array.fromAsync(transport.lines({ method: 'GET', path: '/readyz', attempt: 'get readiness' }, 5_000));
      await transport.close();
      return true;
    },
  });
  const address = { server, ca: await ca(), adminToken, kubeconfig: join(directory, 'kubeconfig') };
  await writeFile(address.kubeconfig, kubeconfig(address, nobodyToken));
  return { address, daemon };
}

function kubeconfig({ server, ca, adminToken }: ApiServerAddress, nobodyToken: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [
      { name: 'admin', user: { token: adminToken } },
      { name: 'nobody', user: { token: nobodyToken } },
    ],
    contexts: [
      { name: 'admin', context: { cluster: 'test', user: 'admin' } },
      { name: 'nobody', context: { cluster: 'test', user: 'nobody' } },
    ],
    'current-context': 'admin',
  });
}

async function obtain(name: 'etcd' | 'kube-apiserver'): Promise<string> {
  const progress = createProgress();
  try {
    return await obtainTool(name, { progress, signal: new AbortController().signal });
  } finally {
    progress.done();
  }
}

/** Returns free ports from a random start, so that servers that start at the same time do not try the same ports. */
async function somePorts(): Promise<ApiServerPorts> {
  const etcd = await findFreePort(randomInt(20_000, 30_000));
  const etcdPeers = await findFreePort(etcd + 1);
  return { etcd, etcdPeers, server: await findFreePort(etcdPeers + 1) };
}

function place(directory: string, name: string) {
  return {
    name,
    recordFile: join(directory, `${name}.json`),
    logFile: join(directory, `${name}.log`),
    // Long, because several servers may start at the same time on few cores.
    readyTimeoutMs: 5 * 60_000,
    stopSignal: 'SIGTERM' as const,
    stopTimeoutMs: 10_000,
  };
}
