/** Where the pod of a registry has what its MCPRegistry refers to. */

interface KeyRef {
  readonly name: string;
  readonly key: string;
}

export const secretFile = ({ name, key }: KeyRef): string => `/secrets/${name}/${key}`;

export const certificateFile = ({ name, key }: KeyRef): string => `/config/certs/${name}/${key}`;

export const sourceFile = (source: string, path: string): string => `/config/registry/${source}/${path}`;
