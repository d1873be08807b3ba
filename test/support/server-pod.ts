import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RegistryRef } from '#domain/registry-ref.js';
import { nextFreePort } from './free-port.js';
import { startShipped } from './shipped-process.js';
import type { ShippedProcess } from './shipped-process.js';

export interface PodSetup {
  readonly registry: RegistryRef;
  readonly config: string;
  /** `host:port` */
  readonly temporalAddress: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Path of the program. Default: the one of this build. */
  readonly main?: string;
}

/**
 * The environment of a registry's pod: mounted files, variables and ports. The server is started in it once or several
 * times.
 */
export class ServerPod implements AsyncDisposable {
  private readonly started: ShippedProcess[] = [];

  private constructor(
    readonly directory: string,
    private readonly ports: { readonly api: number; readonly internal: number },
    private readonly setup: PodSetup,
  ) {}

  static async create(setup: PodSetup): Promise<ServerPod> {
    const directory = await mkdtemp(join(tmpdir(), 'server-pod-'));
    await chmod(directory, 0o755);
    const pod = new ServerPod(directory, { api: await nextFreePort(), internal: await nextFreePort() }, setup);
    await pod.mount('config/config.yaml', setup.config);
    await pod.mount('temporal/address', `${setup.temporalAddress}\n`);
    await pod.mount('temporal/namespace', 'default');
    return pod;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.api}`;
  }

  get internalUrl(): string {
    return `http://127.0.0.1:${this.ports.internal}`;
  }

  /** Writes a file as a volume would contain it. */
  async mount(path: string, content: string): Promise<void> {
    const file = join(this.directory, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content, { mode: 0o644 });
  }

  start({ podHash = 'pod-1', podName = 'tools-api-1', args = [] as readonly string[], env = {} } = {}): ShippedProcess {
    const { namespace, name, uid } = this.setup.registry;
    const child = startShipped(['serve', `--config=${join(this.directory, 'config', 'config.yaml')}`, ...args], {
      main: this.setup.main,
      env: {
        PATH: process.env['PATH'],
        REGISTRY_NAMESPACE: namespace,
        REGISTRY_NAME: name,
        REGISTRY_UID: uid,
        REGISTRY_POD_HASH: podHash,
        POD_NAME: podName,
        HOST: '127.0.0.1',
        PORT: String(this.ports.api),
        INTERNAL_PORT: String(this.ports.internal),
        DATA_DIR: join(this.directory, 'data'),
        SECRETS_DIR: join(this.directory, 'secrets'),
        SERVICE_ACCOUNT_DIR: join(this.directory, 'service-account'),
        TEMPORAL_DIR: join(this.directory, 'temporal'),
        ALLOW_LOCAL_GIT: '1',
        MIN_SYNC_INTERVAL: '100ms',
        ...this.setup.env,
        ...env,
      },
    });
    this.started.push(child);
    return child;
  }

  /** Returns what the kubelet's probe sees; undefined if nothing listens. */
  async readiness(): Promise<{ status: number; body: string } | undefined> {
    const response = await fetch(`${this.internalUrl}/readiness`).catch(() => undefined);
    return response && { status: response.status, body: await response.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.started.map((child) => child.end()));
    await rm(this.directory, { recursive: true, force: true });
  }
}
