import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApiServerAddress } from '#api-server/start-api-server.js';
import type { UnreliableProxy } from '#api-server/unreliable-proxy.js';
import type { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { withClient } from '#persistence/database-client.js';
import type { EmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { findFreePort } from '#temporal/free-port.js';
import type { Door } from '#temporal/testing/door.js';
import { ApiUpstream } from './api-upstream.js';
import { GitUpstream } from './git-upstream.js';
import { Pod } from './pod.js';
import { ChaosRegistry } from './registry.js';
import type { DatabasePlace } from './registry.js';
import { startCluster, startPostgres, startTemporal } from './start-dependencies.js';
import type { Dependency } from './start-dependencies.js';
import { startOperator } from './start-operator.js';
import type { SupervisedProcess } from './supervised-process.js';

/** First port of the pods. It is above the ports of the tests and below those of outgoing connections. */
const FIRST_PORT = 30_200;
/** One in every `EMBEDDED_EVERY` servers has an embedded Postgres. */
const EMBEDDED_EVERY = 4;
const CONNECTIONS_PER_SERVER = 15;
const SPARE_CONNECTIONS = 50;

export interface RigSize {
  readonly registries: number;
  readonly servers: number;
  /** Whether to keep the folder with logs and data. */
  readonly keep: boolean;
}

interface RigParts {
  readonly directory: string;
  readonly api: HttpKubernetesApi;
  readonly proxy: UnreliableProxy;
  readonly doors: { readonly postgres: Door; readonly temporal: Door };
  /** `host:port` of Temporal itself, bypassing the door. */
  readonly temporalAddress: string;
  readonly upstreams: { readonly api: ApiUpstream; readonly git: GitUpstream };
  readonly dependencies: Readonly<Record<'temporal' | 'postgres' | 'apiServer' | 'etcd', Dependency>>;
  readonly operator: SupervisedProcess;
}

type Log = (line: string) => void;

/**
 * The operator and some registry servers as real processes, with a real API server, Temporal and Postgres, and
 * everything between them that can fail: relays, proxies, upstreams, small disks. After disposal, none of it is
 * running.
 */
export class Rig implements AsyncDisposable {
  readonly registries: ChaosRegistry[] = [];
  readonly pods: Pod[] = [];
  #nextPort = FIRST_PORT;

  private constructor(
    readonly parts: RigParts,
    private readonly stack: AsyncDisposableStack,
  ) {}

  static async start(size: RigSize, log: Log): Promise<Rig> {
    await using stack = new AsyncDisposableStack();
    const directory = await makeDirectory(stack, size, log);
    log('starting etcd, the API server, Temporal, Postgres and upstreams');
    const { server, api, proxy, dependencies } = await startCluster(stack, directory);
    const maxConnections = size.servers * CONNECTIONS_PER_SERVER + SPARE_CONNECTIONS;
    const postgres = await startPostgres(stack, directory, maxConnections);
    const temporal = await startTemporal(stack, directory);
    const upstreams = {
      api: stack.use(await ApiUpstream.start()),
      git: stack.use(await GitUpstream.start(join(directory, 'git'))),
    };
    const operator = await startOperator(join(directory, 'operator'), {
      server,
      apiServerUrl: proxy.access.server,
      temporalAddress: `127.0.0.1:${temporal.door.port}`,
      gitUrl: upstreams.git.url,
    });
    stack.use(operator);
    const parts: RigParts = {
      directory,
      api,
      proxy,
      doors: { postgres: postgres.door, temporal: temporal.door },
      temporalAddress: temporal.address,
      upstreams,
      dependencies: { ...dependencies, temporal: temporal.dependency, postgres: postgres.dependency },
      operator,
    };
    const rig = new Rig(parts, new AsyncDisposableStack());
    // Pods stop before the services that they use.
    stack.defer(async () => void (await Promise.all(rig.pods.map((pod) => pod[Symbol.asyncDispose]()))));
    await rig.#createRegistries(size, server, postgres.postgres, log);
    rig.stack.use(stack.move());
    return rig;
  }

  /** Whether the server of a pod is never killed, so that its memory can be checked. */
  isSteady(pod: Pod): boolean {
    return this.pods.indexOf(pod) % 4 === 1;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.disposeAsync();
  }

  async #createRegistries(
    { registries, servers }: RigSize,
    server: ApiServerAddress,
    postgres: EmbeddedPostgres,
    log: Log,
  ): Promise<void> {
    const { api, doors, upstreams } = this.parts;
    log(`creating ${registries} registries, ${servers} of them with a server`);
    for (let index = 0; index < registries; index++) {
      const hasServer = index < servers;
      const place = hasServer && !hasEmbeddedDatabase(index);
      const database = place ? await createDatabase(postgres, doors.postgres.port, index) : undefined;
      const registry = new ChaosRegistry(`registry-${index}`, upstreams, database);
      this.registries.push(registry);
      if (hasServer) for (const source of registry.sources) await registry.publish(source, api);
      await api.apply(registry.nextSpec());
      if (hasServer) this.pods.push(await this.#createPod(registry.name, index, server));
    }
  }

  async #createPod(registry: string, index: number, apiServer: ApiServerAddress): Promise<Pod> {
    const { api, directory, proxy } = this.parts;
    return Pod.create({
      registry,
      directory: join(directory, registry),
      api,
      apiServer,
      apiServerUrl: proxy.access.server,
      ports: { api: await this.#takePort(), internal: await this.#takePort() },
      hasSmallDisk: canMount() && (index === 0 || index === EMBEDDED_EVERY - 1),
      hasEmbeddedDatabase: hasEmbeddedDatabase(index),
    });
  }

  /** Returns a free port that has not been given to any pod. */
  async #takePort(): Promise<number> {
    const port = await findFreePort(this.#nextPort);
    this.#nextPort = port + 1;
    return port;
  }
}

async function makeDirectory(stack: AsyncDisposableStack, { keep }: RigSize, log: Log): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-chaos-'));
  if (keep) log(`logs and data stay in ${directory}`);
  else stack.defer(() => rm(directory, { recursive: true, force: true }));
  // The user that runs Postgres must be able to traverse the folder.
  await chmod(directory, 0o711);
  return directory;
}

/** Whether the server of a registry has an embedded Postgres. */
function hasEmbeddedDatabase(index: number): boolean {
  return index % EMBEDDED_EVERY === EMBEDDED_EVERY - 1;
}

/** Returns whether file systems can probably be mounted, without trying. */
function canMount(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

async function createDatabase(postgres: EmbeddedPostgres, port: number, index: number): Promise<DatabasePlace> {
  const database = `registry_${index}`;
  await withClient({ ...postgres.connection, user: 'postgres' }, (client) =>
    client.query(`CREATE DATABASE ${database} OWNER db_migrator`),
  );
  return { port, database };
}
