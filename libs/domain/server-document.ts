/** A value that a publisher sets, suggests, or leaves to the user (server.json 2025-12-11). */
export interface ServerInput {
  readonly description?: string | undefined;
  readonly isRequired?: boolean | undefined;
  readonly isSecret?: boolean | undefined;
  readonly value?: string | undefined;
  readonly default?: string | undefined;
  readonly choices?: readonly string[] | undefined;
  /** Variables that replace `{name}` in `value`. */
  readonly variables?: Readonly<Record<string, ServerInput>> | undefined;
}

/** An environment variable or a header. */
export interface NamedServerInput extends ServerInput {
  readonly name: string;
}

export interface ServerArgument extends ServerInput {
  readonly type: 'named' | 'positional';
  readonly name?: string | undefined;
  readonly valueHint?: string | undefined;
}

export interface ServerPackage {
  readonly registryType: string;
  readonly identifier: string;
  readonly transport: { readonly type: string; readonly url?: string | undefined };
  readonly registryBaseUrl?: string | undefined;
  readonly version?: string | undefined;
  readonly fileSha256?: string | undefined;
  readonly runtimeHint?: string | undefined;
  readonly runtimeArguments?: readonly ServerArgument[] | undefined;
  readonly packageArguments?: readonly ServerArgument[] | undefined;
  readonly environmentVariables?: readonly NamedServerInput[] | undefined;
}

export interface ServerRemote {
  readonly type: string;
  readonly url?: string | undefined;
  readonly headers?: readonly NamedServerInput[] | undefined;
  readonly variables?: Readonly<Record<string, ServerInput>> | undefined;
}

/** A validated server.json, reduced to the fields for running or reaching the server. */
export interface ServerDocument {
  readonly name: string;
  readonly version: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly repository?: { readonly url?: string | undefined } | undefined;
  readonly packages?: readonly ServerPackage[] | undefined;
  readonly remotes?: readonly ServerRemote[] | undefined;
  readonly _meta?: unknown;
}
