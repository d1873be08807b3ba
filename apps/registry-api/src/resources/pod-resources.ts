import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountOf } from '#spec/source-needs.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncResources } from '#domain/resource-store.js';
import type { ServerObject } from '#domain/server-object.js';
import { keysOf, valueIn, valuesOf } from '#kubernetes/config-map.js';
import type { ConfigMap } from '#kubernetes/config-map.js';
import { KubernetesRefusal, KubernetesUnreachable } from '#kubernetes/kubernetes-error.js';
import { listServerObjects } from '#kubernetes/server-objects.js';
import type { SourceMount } from '#sources/source.js';
import type { ClusterReader } from './cluster-reader.js';
import type { LiveConfig } from './live-config.js';

export interface PodResourcesOptions {
  /** The one that is served here. */
  readonly registry: RegistryRef;
  readonly config: LiveConfig;
  /** Undefined outside of a cluster. */
  readonly cluster: ClusterReader | undefined;
  /** Holds certificates and sources: `certs/NAME/KEY` and `registry/SOURCE/…`. */
  readonly configDirectory: string;
  /** Holds `NAME/KEY`. */
  readonly secretsDirectory: string;
}

/** One MCPRegistry and what it refers to, as the server of it has them: from the API of the cluster, and from mounted files. */
export class PodResources implements SyncResources {
  constructor(private readonly options: PodResourcesOptions) {}

  async findRegistry(ref: RegistryRef): ReturnType<SyncResources['findRegistry']> {
    if (ref.uid !== this.options.registry.uid) return undefined;
    const { text, generation, triggerToken } = await this.options.config.read();
    return { ref, generation, triggerToken, spec: { configYAML: text } };
  }

  /** An edit is seen at once where the API may be asked; a mounted file follows within a minute or so. */
  async configMapKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    const { configMap, refusal } = await this.askCluster(namespace, name);
    if (configMap) return valueOf(configMap, name, key);
    for (const file of this.filesOf(name, key)) {
      const content = await readMounted(file);
      if (content) return content;
    }
    // The mounted file is the only copy of a certificate here: the server may not read its ConfigMap.
    const mounted = await keysIn(join(this.options.configDirectory, 'certs', name));
    if (!mounted && refusal) throw untilAllowed(refusal, 'let the ServiceAccount of the server get it');
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
    if (refusal) throw untilAllowed(refusal, 'let the ServiceAccount of the server get it');
    throw new RegistryError(
      'ConfigMapNotFound',
      `ConfigMap ${name} is missing or empty: create it in the same namespace.`,
    );
  }

  /** Returns a ConfigMap as the cluster has it, or why the cluster does not say. Throws `ConfigMapNotFound`. */
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
      const message = 'MCP servers are found in a cluster only, and this server does not run in one: remove the source';
      throw new RegistryError('ValidationFailed', message, 'stop');
    }
    try {
      return await listServerObjects(cluster, namespace);
    } catch (error) {
      throw untilAllowed(error, 'let the ServiceAccount of the server get, list and watch them');
    }
  }

  /** The claims of the sources, each with the folder where the pod has it. */
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

  /** Returns the mounts of the sources, each with the directory where the pod has it. */
  private mounts(): { readonly directory: string; readonly mount: SourceMount }[] {
    return this.options.config.spec.registries.flatMap((source) => {
      const mount = mountOf(source);
      return mount ? [{ directory: join(this.options.configDirectory, 'registry', source.name), mount }] : [];
    });
  }
}

/** The operator grants what a new source needs a moment after the server learns of that source: what is forbidden is tried again. */
function untilAllowed(error: unknown, remedy: string): unknown {
  if (!(error instanceof KubernetesRefusal) || error.code !== 403) return error;
  return new RegistryError('KubernetesRefused', `${error.message}: ${remedy}`, 'retry', { cause: error });
}

/** Only keys that are read are mounted; where the object does not exist, its folder is empty. */
function absence(kind: 'ConfigMap' | 'Secret', name: string, key: string, mounted: readonly string[] = []) {
  const soon = 'the server has it within a minute';
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

/** The names beginning with two dots are kubelet's own. Undefined when nothing is mounted there. */
async function keysIn(directory: string): Promise<string[] | undefined> {
  try {
    return (await readdir(directory)).filter((file) => !file.startsWith('..'));
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(directory, error);
  }
}

/** Undefined when it is not there. */
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
