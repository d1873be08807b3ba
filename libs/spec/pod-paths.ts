/** Mount paths, in the pod of a registry, of the objects that the MCPRegistry refers to. */

interface KeyRef {
  readonly name: string;
  readonly key: string;
}

export const secretFile = ({ name, key }: KeyRef): string => `/secrets/${name}/${key}`;

export const certificateFile = ({ name, key }: KeyRef): string => `/config/certs/${name}/${key}`;

export const sourceFile = (source: string, path: string): string => `/config/registry/${source}/${path}`;

/** Returns the name of a registry's Deployment and Service. */
export const serverName = (registry: string): string => `${registry}-api`;

/** Returns the name of the Service that leads to the server that syncs, bypassing the read-only ones. */
export const writerName = (registry: string): string => `${registry}-api-writer`;

/** Returns the origin, inside the cluster, of the Service that leads to the server that syncs. */
export const writerOrigin = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `http://${writerName(name)}.${namespace}.svc:8080`;

/** Returns the origin of a registry's Service inside the cluster. */
export const serverOrigin = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `http://${serverName(name)}.${namespace}.svc:8080`;

/**
 * Returns the name of the ConfigMap to which the operator writes the configuration of a server, under {@link
 * SERVER_CONFIG_KEY}.
 */
export const serverConfigName = (registry: string): string => `${registry}-registry-server-config`;

export const SERVER_CONFIG_KEY = 'config.yaml';

/**
 * The key in the ConfigMap of {@link serverConfigName} that contains the generation of the MCPRegistry to which the
 * configuration belongs.
 */
export const SERVER_GENERATION_KEY = 'generation';

/**
 * The key in the ConfigMap of {@link serverConfigName} that contains the value of the sync-trigger annotation. Absent
 * if there is none.
 */
export const SERVER_TRIGGER_KEY = 'sync-trigger';
