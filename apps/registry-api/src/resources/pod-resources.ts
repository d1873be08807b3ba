import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountOf } from '#spec/source-needs.js';
import type { SyncResources, WantedRegistry } from '#spec/sync-resources.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ServerObject } from '#domain/server-object.js';
import { keysOf, valueIn, valuesOf } from '#kubernetes/config-map.js';
import type { ConfigMap } from '#kubernetes/config-map.js';
import { KubernetesRefusal, KubernetesUnreachable } from '#kubernetes/kubernetes-error.js';
import { listServerObjects } from '#kubernetes/server-objects.js';
import type { SourceMount } from '#sources/source.js';
import type { ClusterReader } from './cluster-reader.js';
import type { LiveConfig } from './live-config.js';

export interface PodResourcesOptions {
  /** The registry that is served here. */
  readonly registry: RegistryRef;
  readonly config: LiveConfig;
  /** Undefined outside of a cluster. */
  readonly cluster: ClusterReader | undefined;
  /** Directory with certificates and sources: `certs/NAME/KEY` and `registry/SOURCE/…`. */
  readonly configDirectory: string;
  /** Directory with secrets: `NAME/KEY`. */
  readonly secretsDirectory: string;
}

/**
 * One MCPRegistry and the objects that it refers to, as its server reads them: from the Kubernetes API and from mounted
 * files.
 */
export class PodResources implements SyncResources {
  constructor(private readonly options: PodResourcesOptions) {}

  async findWanted(ref: RegistryRef): Promise<WantedRegistry | undefined> {
    return ref.uid === this.options.registry.uid ? this.options.config.read() : undefined;
  }

  /**
   * Returns a key of a ConfigMap. An edit is visible immediately if the server may use the API. A mounted file follows
   * within about a minute.
   */
  async configMapKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    const { configMap, refusal } = await this.askCluster(namespace, name);
    if (configMap) return valueOf(configMap, name, key);
    for (const file of this.filesOf(name, key)) {
      const content = await readMounted(file);
      if (content) return content;
    }
    // The mounted file is the only source of a certificate, because the server may not read the ConfigMap from the API.
    const mounted = await keysIn(join(this.options.configDirectory, 'certs', name));
    if (!mounted && refusal) throw untilAllowed(refusal, 'allow the ServiceAccount of the server to get it');
    throw absence('ConfigMap', name, key, mounted);
  }

  async configMapKeys(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array>> {
    const { configMap, refusal } = await this.askCluster(namespace, name);
    if (configMap) return valuesOf(configMap);
    const whole = this.mounts().find(
      ({ mount }) => 'configMap' in mount && mount.configMap.name === name && mount.configMap.key === undefined,
    );
    const keys = (whole && (await keysIn(whole.directory))) ?? [];
    const values = await Promise.all(
      keys.map((key) => readMounted(join((whole as { directory: string }).directory, key))),
    );
    const found = keys.flatMap((key, index): [string, Uint8Array][] => (values[index] ? [[key, values[index]]] : []));
    if (found.length > 0) return new Map(found);
    if (refusal) throw untilAllowed(refusal, 'allow the ServiceAccount of the server to get it');
    throw new RegistryError(
      'ConfigMapNotFound',
      `ConfigMap ${name} is missing or empty: create it in the same namespace.`,
    );
  }

  /**
   * Returns a ConfigMap from the API, or the error if the API refuses or is unreachable. Throws `ConfigMapNotFound`.
   */
  private async askCluster(
    namespace: string,
    name: string,
  ): Promise<{ readonly configMap?: ConfigMap; readonly refusal?: Error }> {
    try {
      const configMap = await this.options.cluster?.get<ConfigMap>('ConfigMap', namespace, name);
      if (configMap || !this.options.cluster) return configMap ? { configMap } : {};
    } catch (error) {
      if (error instanceof KubernetesRefusal || error instanceof KubernetesUnreachable) return { refusal: error };
      throw error;
    }
    throw new RegistryError('ConfigMapNotFound', `ConfigMap ${name} does not exist: create it in the same namespace.`);
  }

  async secretKey(_namespace: string, name: string, key: string): Promise<Uint8Array> {
    const directory = join(this.options.secretsDirectory, name);
    const content = await readMounted(join(directory, key));
    if (content) return content;
    throw absence('Secret', name, key, await keysIn(directory));
  }

  async serverObjects(namespace: string): Promise<readonly ServerObject[]> {
    const { cluster } = this.options;
    if (!cluster) {
      const message =
        'MCP servers can be discovered only in a cluster, and this server does not run in one: remove the source';
      throw new RegistryError('ValidationFailed', message, 'stop');
    }
    try {
      return await listServerObjects(cluster, namespace);
    } catch (error) {
      throw untilAllowed(error, 'allow the ServiceAccount of the server to get, list and watch them');
    }
  }

  /** The claims of the sources, each with its directory in the pod. */
  get claims(): ReadonlyMap<string, string> {
    return new Map(
      this.mounts().flatMap(({ directory, mount }) => ('claim' in mount ? [[mount.claim, directory]] : [])),
    );
  }

  /** Returns the paths at which a key of a ConfigMap may be mounted: as a certificate, and as the file of a source. */
  private filesOf(name: string, key: string): string[] {
    const ofSources = this.mounts().flatMap(({ directory, mount }) => {
      const isMounted = 'configMap' in mount && mount.configMap.name === name && mount.configMap.key === key;
      return isMounted ? [join(directory, mount.file)] : [];
    });
    return [join(this.options.configDirectory, 'certs', name, key), ...ofSources];
  }

  /** Returns the mounts of the sources, each with its directory in the pod. */
  private mounts(): { readonly directory: string; readonly mount: SourceMount }[] {
    return this.options.config.spec.registries.flatMap((source) => {
      const mount = mountOf(source);
      return mount ? [{ directory: join(this.options.configDirectory, 'registry', source.name), mount }] : [];
    });
  }
}

/**
 * Makes a 403 retryable, because the operator grants the rights for a new source only a moment after the server learns
 * of the source.
 */
function untilAllowed(error: unknown, remedy: string): unknown {
  if (!(error instanceof KubernetesRefusal) || error.code !== 403) return error;
  return new RegistryError('KubernetesRefused', `${error.message}: ${remedy}`, 'retry', { cause: error });
}

/**
 * Returns the error for a missing key. Only keys that are read are mounted, and the directory of a missing object is
 * empty.
 */
function absence(kind: 'ConfigMap' | 'Secret', name: string, key: string, mounted: readonly string[] = []) {
  const soon = 'the server notices within a minute';
  if (mounted.length > 0)
    return new RegistryError('KeyNotFound', `${kind} ${name} has no key ${key}: add it; ${soon}.`);
  const remedy = `create it with that key in the same namespace; ${soon}`;
  return new RegistryError(`${kind}NotFound`, `${kind} ${name} is missing, or has no key ${key}: ${remedy}.`);
}

function valueOf(configMap: ConfigMap, name: string, key: string): Uint8Array {
  const value = valueIn(configMap, key);
  if (value) return value;
  const keys = keysOf(configMap);
  const known = keys.length > 0 ? `it has ${keys.slice(0, 10).join(', ')}` : 'it is empty';
  throw new RegistryError('KeyNotFound', `ConfigMap ${name} has no key ${key}: ${known}.`);
}

/**
 * Returns the mounted keys; undefined if nothing is mounted. Names that start with two dots are internal to the kubelet
 * and are ignored.
 */
async function keysIn(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).filter((file) => !file.startsWith('..'));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(directory, error);
  }
}

/** Returns the content of a mounted file; undefined if it does not exist. */
async function readMounted(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(file, error);
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(path: string, error: unknown): RegistryError {
  const message = `${path} cannot be read (${(error as NodeJS.ErrnoException).code}): let the user of the server read it.`;
  return new RegistryError('FetchFailed', message, 'wait', { cause: error });
}
