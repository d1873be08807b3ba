import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import { isPortFree } from '#temporal/free-port.js';
import { nextFreePort } from './free-port.js';
import { MAIN, startShipped } from './shipped-process.js';
import type { ShippedProcess } from './shipped-process.js';

export const NOBODY = { uid: 65_534, gid: 65_534 };

/**
 * Returns whether a process can be started as this user. Only root may become another user, and the folder of the build
 * may not be readable for that user.
 */
export function canStartAs(user: { uid: number; gid: number }): boolean {
  const reads = ['-e', `fs.readFileSync(${JSON.stringify(MAIN)})`];
  return process.getuid?.() === 0 && spawnSync(process.execPath, reads, { ...user, cwd: '/' }).status === 0;
}

export interface Ports {
  readonly api: number;
  readonly internal: number;
  readonly temporal: number;
  readonly temporalUi: number;
}

export interface StartOptions {
  /** Arguments. Default: the manifest of this place. */
  readonly args?: readonly string[];
  /** Variables that override the defaults. Undefined unsets a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly user?: { readonly uid: number; readonly gid: number };
}

/** A folder for manifest and data, and ports, with which the shipped build is started once or several times. */
export class StandalonePlace implements AsyncDisposable {
  private constructor(
    readonly directory: string,
    readonly ports: Ports,
  ) {}

  /** `mode` of the folder. By default, other users may enter it, as in most places where the program is started. */
  static async create({ mode = 0o755, manifest = '' } = {}): Promise<StandalonePlace> {
    const directory = await mkdtemp(join(tmpdir(), 'standalone-'));
    await chmod(directory, mode);
    const place = new StandalonePlace(directory, {
      api: await nextFreePort(),
      internal: await nextFreePort(),
      temporal: await nextFreePort(),
      temporalUi: await nextFreePort(),
    });
    await place.edit(manifest);
    return place;
  }

  get manifest(): string {
    return join(this.directory, 'registry.yaml');
  }

  get data(): string {
    return join(this.directory, 'data');
  }

  get url(): string {
    return `http://localhost:${this.ports.api}`;
  }

  async edit(manifest: string): Promise<void> {
    await writeFile(this.manifest, manifest);
  }

  start({ args = [this.manifest], env = {}, user }: StartOptions = {}): ShippedProcess {
    const { ports } = this;
    const given = {
      PATH: process.env['PATH'],
      HOME: this.directory,
      DEVSTACK_TEMPORAL: inject('temporalBinary'),
      DATA_DIR: this.data,
      PORT: String(ports.api),
      INTERNAL_PORT: String(ports.internal),
      TEMPORAL_PORT: String(ports.temporal),
      TEMPORAL_UI_PORT: String(ports.temporalUi),
      ...env,
    };
    return startShipped(['standalone', ...args], { env: given, ...(user && { user }) });
  }

  /**
   * Returns the pids of all processes that were started in this folder or work in it. They are found in /proc, so the
   * list is empty on systems other than Linux.
   */
  async processes(): Promise<number[]> {
    return (await this.found()).map(({ pid }) => pid);
  }

  /** Returns the command lines of these processes. */
  async commands(): Promise<string[]> {
    return (await this.found()).map(({ command }) => command);
  }

  private async found(): Promise<{ pid: number; command: string }[]> {
    const folders = [this.directory, ...(await this.privateFolder())];
    const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
    const all = await Promise.all(
      pids.map(async (pid) => {
        const [cwd, command] = await Promise.all([
          readlink(`/proc/${pid}/cwd`).catch(() => ''),
          readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''),
        ]);
        const ours = folders.some((folder) => cwd.startsWith(folder) || command.includes(folder));
        return ours ? [{ pid: Number(pid), command: command.replaceAll('\0', ' ') }] : [];
      }),
    );
    return all.flat();
  }

  /** Returns the last recorded pids of the servers, by name. A killed run leaves its records behind. */
  async servers(): Promise<{ postgres: number; temporal: number }> {
    const [postgres, temporal] = await Promise.all(
      ['postgres.json', 'temporal.json'].map(async (name) => {
        const record = JSON.parse(await readFile(join(this.data, name), 'utf8')) as { child: { pid: number } };
        return record.child.pid;
      }),
    );
    return { postgres: postgres as number, temporal: temporal as number };
  }

  async busyPorts(): Promise<number[]> {
    const busy = await Promise.all(Object.values(this.ports).map(async (port: number) => !(await isPortFree(port))));
    return Object.values(this.ports).filter((_, index) => busy[index]);
  }

  /** Kills every process that a failed test has left behind, and removes the folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let pids = await this.processes(); pids.length > 0; pids = await this.processes()) {
      for (const pid of pids) kill(pid);
    }
    const folders = [this.directory, ...(await this.privateFolder())];
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }

  /** Returns the folder in which Postgres keeps its data if its user cannot enter the data directory. */
  private async privateFolder(): Promise<string[]> {
    const names = await readdir(this.data).catch(() => []);
    const data = names.find((name) => /^postgres-\d+$/.test(name));
    const target = data && (await readlink(join(this.data, data)).catch(() => undefined));
    return target ? [dirname(target)] : [];
  }
}

export interface ListedServer {
  readonly name: string;
  readonly description: string;
}

/**
 * Returns all servers below a URL such as `http://localhost:8080/registry/builtin`, read page by page; undefined if a
 * request fails or a response is not 200.
 */
export async function listServers(address: string): Promise<ListedServer[] | undefined> {
  const listed: ListedServer[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ limit: '100', ...(cursor === undefined ? {} : { cursor }) });
    const response = await fetch(`${address}/v0.1/servers?${query}`).catch(() => undefined);
    if (response?.status !== 200) return undefined;
    const page = (await response.json()) as {
      servers: { server: ListedServer }[];
      metadata: { nextCursor?: string };
    };
    listed.push(...page.servers.map(({ server }) => server));
    cursor = page.metadata.nextCursor;
  } while (cursor !== undefined);
  return listed;
}

/** Returns documents as one manifest. They are written as JSON, which is valid YAML. */
export function manifestOf(...documents: object[]): string {
  return documents.map((document) => JSON.stringify(document, null, 2)).join('\n---\n');
}

export function mcpRegistry(name: string, registries: readonly object[], namespace = 'default'): object {
  return {
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { name, namespace },
    spec: { auth: { mode: 'anonymous' }, registries },
  };
}

export function configMap(name: string, content: string, namespace = 'default'): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { 'registry.json': content } };
}

/** Returns a source that reads the ConfigMap of {@link configMap}. */
export function configMapSource(name: string, from = name): object {
  return { name, configMapRef: { name: from, key: 'registry.json' } };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // The process has exited in the meantime.
  }
}
