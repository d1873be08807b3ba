import type { Auth } from '#config/auth-spec.js';
import type { RegistryView } from '#config/server-config.js';

/** A registry as the API serves it. */
export interface ServedRegistry {
  readonly namespace: string;
  readonly name: string;
  readonly displayName?: string;
  /** What is served by which name; absent: each source by its own. */
  readonly views?: readonly RegistryView[];
  /** Who may use it. */
  readonly auth: Auth;
}

/** Which registries this process serves, and where. Asked for every request, so its answers may change over time. */
export interface RegistryDirectory {
  /** The registry that is served below `/{namespace}/{name}`. */
  find(namespace: string, name: string): ServedRegistry | undefined;
  /** The registry that is served at `/`. */
  default(): ServedRegistry | undefined;
  all(): readonly ServedRegistry[];
}

/** A pod serves its one registry at `/` and nothing below it, so that no name can be taken for part of a path. */
export function onlyRegistry(registry: ServedRegistry): RegistryDirectory {
  return { find: () => undefined, default: () => registry, all: () => [registry] };
}
