import { kinds } from '#kubernetes/kinds.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { ApiUpstream } from './api-upstream.js';
import { catalogueFile } from './catalogue.js';
import { CATALOGUE_PATH } from './git-upstream.js';
import type { GitUpstream } from './git-upstream.js';

export const NAMESPACE = 'default';
/** Base URL of git sources in specs. The operator rewrites it to the URL of the real host. */
export const GIT_SITE = 'https://git.example/';
export const PASSWORDS = 'database-passwords';
const INTERVAL = '10s';
const SOURCES = ['git', 'api', 'map'] as const;

export type SourceName = (typeof SOURCES)[number];

/** The part of the API server's client that this file needs. */
export interface ObjectWriter {
  apply(object: KubernetesObject): Promise<unknown>;
}

/** A database on the shared server. */
export interface DatabasePlace {
  readonly port: number;
  readonly database: string;
}

export interface Upstreams {
  readonly api: ApiUpstream;
  readonly git: GitUpstream;
}

/** An MCPRegistry and the current content of its sources. */
export class ChaosRegistry {
  readonly sources = SOURCES;
  /** The current edition of each source. */
  readonly editions: Record<SourceName, number> = { git: 0, api: 0, map: 0 };
  #title = 0;

  /**
   * `database`: where the server of this registry stores its data. If absent, in the Postgres that is embedded in its
   * pod.
   */
  constructor(
    readonly name: string,
    private readonly upstreams: Upstreams,
    readonly database?: DatabasePlace,
  ) {}

  /** Returns an id for a source that is unique across registries. */
  idOf(source: SourceName): string {
    return `${this.name}-${source}`;
  }

  /** Publishes the next edition of a source. */
  async publish(source: SourceName, writer: ObjectWriter): Promise<void> {
    const [id, edition] = [this.idOf(source), this.editions[source] + 1];
    // Recorded before the content is published, because a server may list the edition immediately.
    this.editions[source] = edition;
    if (source === 'api') this.upstreams.api.publish(id, edition);
    else if (source === 'git') await this.upstreams.git.publish(id, catalogueFile(id, edition));
    else await writer.apply(configMap(id, catalogueFile(id, edition)));
  }

  /** Returns the resource. Each call sets a new title, so that applying the resource is an edit. */
  nextSpec(): KubernetesObject {
    const { name, database } = this;
    const spec = {
      displayName: `${name}, title ${(this.#title += 1)}`,
      auth: { mode: 'anonymous' },
      registries: SOURCES.map((source) => ({
        name: source,
        ...this.#block(source),
        syncPolicy: { interval: INTERVAL },
      })),
      ...(database && { databaseConfig: databaseConfig(database) }),
    };
    return toResource(name, spec);
  }

  #block(source: SourceName): object {
    const id = this.idOf(source);
    if (source === 'api') return { api: { endpoint: this.upstreams.api.urlOf(id) } };
    const file =
      source === 'git'
        ? { git: { repository: `${GIT_SITE}${id}`, path: CATALOGUE_PATH } }
        : { configMapRef: { name: id, key: CATALOGUE_PATH } };
    return { format: 'upstream', ...file };
  }
}

/** Returns the Secret with the passwords that specs must refer to. The database server does not ask for a password. */
export function passwords(): KubernetesObject {
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: PASSWORDS, namespace: NAMESPACE },
    data: { password: Buffer.from('unused').toString('base64') },
  };
  return object;
}

function configMap(name: string, file: string): KubernetesObject {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: NAMESPACE },
    data: { [CATALOGUE_PATH]: file },
  };
  return object;
}

function databaseConfig({ port, database }: DatabasePlace): object {
  const passwordRef = { name: PASSWORDS, key: 'password' };
  return {
    host: '127.0.0.1',
    port,
    database,
    sslMode: 'disable',
    dbAppUserPasswordSecretRef: passwordRef,
    dbMigrationUserPasswordSecretRef: passwordRef,
  };
}

function toResource(name: string, spec: object): KubernetesObject {
  const object = {
    apiVersion: kinds.MCPRegistry.apiVersion,
    kind: 'MCPRegistry',
    metadata: { name, namespace: NAMESPACE },
    spec,
  };
  return object;
}
