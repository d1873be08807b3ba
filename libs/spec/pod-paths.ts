/** The mount paths of the objects that an MCPRegistry refers to, in the pod of the registry. */

interface KeyRef {
  readonly name: string;
  readonly key: string;
}

export const secretFile = ({ name, key }: KeyRef): string => `/secrets/${name}/${key}`;

export const certificateFile = ({ name, key }: KeyRef): string => `/config/certs/${name}/${key}`;

export const sourceFile = (source: string, path: string): string => `/config/registry/${source}/${path}`;

/** The name of a registry's Deployment and Service. */
export const serverName = (registry: string): string => `${registry}-api`;

/** The name of the Service that leads to the server that syncs, past the read-only ones. */
export const writerName = (registry: string): string => `${registry}-api-writer`;

/** The origin of that Service, inside the cluster. */
export const writerOrigin = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `http://${writerName(name)}.${namespace}.svc:8080`;

/** The origin of a registry's Service, inside the cluster. */
export const serverOrigin = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `http://${serverName(name)}.${namespace}.svc:8080`;

/** The ConfigMap that the operator writes the configuration of a server into, under {@link SERVER_CONFIG_KEY}. */
export const serverConfigName = (registry: string): string => `${registry}-registry-server-config`;

export const SERVER_CONFIG_KEY = 'config.yaml';

/** Beside it: the generation of the MCPRegistry that it says, for those who see the ConfigMap as a folder as well. */
export const SERVER_GENERATION_KEY = 'generation';

/** The key beside it that holds the value of the sync-trigger annotation; absent while there is none. */
export const SERVER_TRIGGER_KEY = 'sync-trigger';
