import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tokenOf } from '#api-server/account-token.js';
import type { ApiServerAddress } from '#api-server/start-api-server.js';
import type { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { POD_HASH_ANNOTATION } from '#kubernetes/to-workload.js';
import type { Deployment } from '#kubernetes/to-workload.js';
import { SERVER_HEAP_FLAGS } from '../bench/pod-heap.js';
import { SmallDisk } from './full-disk.js';
import { NAMESPACE } from './registry.js';
import { SupervisedProcess } from './supervised-process.js';

const RECONCILE_MS = 1_000;
const PROBE_TIMEOUT_MS = 5_000;
/** Lifetime of the token, longer than any run. */
const TOKEN_SECONDS = 24 * 3600;
/** Size of the disk: with room for the embedded Postgres, or only for the git cache. */
const DISK_MIB = { embedded: 400, cache: 64 };

export interface PodSetup {
  readonly registry: string;
  readonly directory: string;
  readonly api: HttpKubernetesApi;
  readonly apiServer: ApiServerAddress;
  /** URL at which the pod reaches the API server. */
  readonly apiServerUrl: URL;
  readonly ports: { readonly api: number; readonly internal: number };
  /** Whether the data folder of the pod is a separate file system. */
  readonly hasSmallDisk: boolean;
  readonly hasEmbeddedDatabase: boolean;
}

interface PodDeployment extends Deployment {
  readonly spec?: NonNullable<Deployment['spec']> & {
    readonly template?: {
      readonly spec?: {
        readonly containers: readonly { readonly env?: readonly { name: string; value?: string }[] }[];
      };
    };
  };
}

/**
 * Simulates the pod of a registry's Deployment without a kubelet. It waits for the Deployment, mounts the objects that
 * the operator has created for it as files, runs the server, replaces it when the template changes, and reports its
 * readiness in the status of the Deployment.
 */
export class Pod implements AsyncDisposable {
  /** How its server processes exited unexpectedly. */
  readonly deaths: string[] = [];
  disk: SmallDisk | undefined;
  #process: SupervisedProcess | undefined;
  #hash: string | undefined;
  #reported: string | undefined;
  #isStopping = false;
  #loop: Promise<void> = Promise.resolve();

  private constructor(private readonly setup: PodSetup) {}

  static async create(setup: PodSetup): Promise<Pod> {
    const pod = new Pod(setup);
    const { hasSmallDisk, hasEmbeddedDatabase } = setup;
    const data = join(setup.directory, 'data');
    await mkdir(data, { recursive: true });
    if (hasSmallDisk) pod.disk = await SmallDisk.mount(data, hasEmbeddedDatabase ? DISK_MIB.embedded : DISK_MIB.cache);
    pod.#loop = pod.#keepReconciling();
    return pod;
  }

  get name(): string {
    return this.setup.registry;
  }

  get process(): SupervisedProcess | undefined {
    return this.#process;
  }

  get url(): string {
    return `http://127.0.0.1:${this.setup.ports.api}`;
  }

  /** Path of the record file of the pod's own Postgres. */
  get databaseRecord(): string | undefined {
    return this.setup.hasEmbeddedDatabase ? join(this.setup.directory, 'data', 'postgres.json') : undefined;
  }

  async isReady(): Promise<boolean> {
    const response = await fetch(this.#internal('/readiness'), { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
      () => undefined,
    );
    await response?.body?.cancel();
    return response?.ok === true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await this.#loop;
    await this.#endProcess();
    await this.disk?.[Symbol.asyncDispose]();
  }

  async #keepReconciling(): Promise<void> {
    while (!this.#isStopping) {
      // The API server may be unavailable. The next pass finds what this one has missed.
      await this.#reconcile().catch(() => undefined);
      await sleep(RECONCILE_MS);
    }
  }

  async #reconcile(): Promise<void> {
    const { api, registry } = this.setup;
    const deployment = await api.get<PodDeployment>('Deployment', NAMESPACE, `${registry}-api`);
    const hash = deployment?.spec?.template?.metadata?.annotations?.[POD_HASH_ANNOTATION];
    if (!deployment || hash === undefined) return;
    if (hash !== this.#hash) {
      await this.#endProcess();
      await this.#startProcess(deployment);
      this.#hash = hash;
    }
    await this.#report(deployment);
  }

  async #startProcess(deployment: PodDeployment): Promise<void> {
    const { registry, directory, ports, apiServerUrl } = this.setup;
    await this.#mountFiles();
    const declared = deployment.spec?.template?.spec?.containers[0]?.env ?? [];
    const given = declared.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
    this.#process = await SupervisedProcess.start({
      name: registry,
      directory,
      flags: SERVER_HEAP_FLAGS,
      args: ['serve', `--config=${join(directory, 'config', 'config.yaml')}`],
      healthUrl: this.#internal('/health'),
      // The embedded Postgres cannot be created on a full disk. The server then reports this and exits, and is
      // restarted.
      mayEnd: (message) => this.disk?.wasFull === true && message.includes('No space left on device'),
      env: {
        ...Object.fromEntries(given),
        POD_NAME: `${registry}-api-0`,
        HOST: '127.0.0.1',
        PORT: String(ports.api),
        INTERNAL_PORT: String(ports.internal),
        DATA_DIR: join(directory, 'data'),
        TMPDIR: directory,
        TEMPORAL_DIR: join(directory, 'temporal'),
        PGPASSFILE: join(directory, 'pgpass', '.pgpass'),
        SERVICE_ACCOUNT_DIR: join(directory, 'service-account'),
        KUBERNETES_SERVICE_HOST: apiServerUrl.hostname,
        KUBERNETES_SERVICE_PORT: apiServerUrl.port,
        LOG_LEVEL: 'warn',
      },
    });
  }

  async #endProcess(): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
    this.deaths.push(...(this.#process?.deaths ?? []));
    this.#process = undefined;
  }

  /** Mounts the volumes: the configuration, the Secrets, and the token of the service account. */
  async #mountFiles(): Promise<void> {
    const { api, apiServer, registry } = this.setup;
    const objects = {
      config: await api.get('ConfigMap', NAMESPACE, `${registry}-registry-server-config`),
      temporal: await api.get('Secret', NAMESPACE, `${registry}-temporal`),
      ...(!this.setup.hasEmbeddedDatabase && { pgpass: await api.get('Secret', NAMESPACE, `${registry}-db-pgpass`) }),
    };
    for (const [folder, object] of Object.entries(objects)) {
      if (!object) throw new Error(`the object to mount as ${folder} is not there yet`);
      for (const [key, content] of contentsOf(object)) await this.#write(folder, key, content);
    }
    const account = { namespace: NAMESPACE, name: `${registry}-registry-api` };
    await this.#write('service-account', 'token', await tokenOf(apiServer, account, TOKEN_SECONDS));
    await this.#write('service-account', 'ca.crt', apiServer.ca);
  }

  async #write(folder: string, file: string, content: string | Buffer): Promise<void> {
    const path = join(this.setup.directory, folder);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, file), content, { mode: 0o600 });
  }

  /** Reports in the status of the Deployment whether the pod is ready. Writes only changes. */
  async #report({ metadata }: PodDeployment): Promise<void> {
    const ready = (await this.isReady()) ? 1 : 0;
    const status = {
      observedGeneration: metadata.generation,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: ready,
      availableReplicas: ready,
    };
    const reported = JSON.stringify([metadata.uid, status]);
    if (reported === this.#reported) return;
    const { namespace = NAMESPACE, name } = metadata;
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name }, status };
    await this.setup.api.applyStatus(object);
    this.#reported = reported;
  }

  #internal(path: string): string {
    return `http://127.0.0.1:${this.setup.ports.internal}${path}`;
  }
}

function contentsOf(object: KubernetesObject): [string, Buffer][] {
  const { data = {} } = object as { data?: Record<string, string> };
  const encoding = object.kind === 'Secret' ? 'base64' : 'utf8';
  return Object.entries(data).map(([key, text]) => [key, Buffer.from(text, encoding)]);
}
