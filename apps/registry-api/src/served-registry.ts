import type { Auth } from '#spec/auth-spec.js';
import type { Surface } from '#spec/console-spec.js';
import { toSurface } from '#spec/console-spec.js';
import { displayRef } from '#domain/registry-ref.js';
import { findSource } from '#sources/index.js';
import type { WebhookSpec } from '#spec/webhook-spec.js';
import type { RegistryView, ServerIdentity, ServerSpec } from '#spec/server-config.js';

/** A registry as it is served by the API. */
export interface ServedRegistry extends Surface {
  readonly namespace: string;
  readonly name: string;
  /**
   * The uid of the resource. Rows stored under this name for another uid are not served. If absent, rows of any uid
   * are.
   */
  readonly uid?: string;
  readonly displayName?: string;
  /** Names of its sources, in the order of its spec. */
  readonly sources: readonly string[];
  /** The prefixes that published names must have, by managed source. A source without an item accepts any name. */
  readonly namePrefixes?: ReadonlyMap<string, readonly string[]>;
  /** The views with their names. If absent, each source is served under its own name. */
  readonly views?: readonly RegistryView[];
  /** The webhooks, each with the names of the sources that it nudges. */
  readonly webhooks?: readonly ServedWebhook[];
  /** The access rules. */
  readonly auth: Auth;
}

export type ServedWebhook = WebhookSpec & { readonly sources: readonly string[] };

/** Derives the served registry from a spec. */
export function toServedRegistry(
  { namespace, name, uid }: ServerIdentity & Pick<ServedRegistry, 'uid'>,
  { displayName, registries, views, auth, webhooks = [], ...surface }: ServerSpec,
): ServedRegistry {
  const sources = registries.map((source) => source.name);
  return {
    namespace,
    name,
    ...(uid !== undefined && { uid }),
    ...(displayName !== undefined && { displayName }),
    sources,
    namePrefixes: namePrefixesOf(registries),
    ...(views && { views }),
    webhooks: toServedWebhooks(webhooks, registries),
    auth,
    ...toSurface(surface),
  };
}

/**
 * Resolves the sources of each webhook. A webhook without a list of sources applies to all of them except those that
 * this server observes itself.
 */
function toServedWebhooks(webhooks: readonly WebhookSpec[], registries: ServerSpec['registries']): ServedWebhook[] {
  const synced = registries.flatMap(({ name, type }) => (isObserved(type) ? [] : [name]));
  return webhooks.map((webhook) => ({ ...webhook, sources: webhook.sources ?? synced }));
}

function isObserved(type: string): boolean {
  const { changedBy } = findSource(type) ?? {};
  return changedBy === 'publications' || changedBy === 'server-objects';
}

function namePrefixesOf(registries: ServerSpec['registries']): ReadonlyMap<string, readonly string[]> {
  return new Map(
    registries.flatMap(({ name, type, spec }) => {
      const definition = findSource(type);
      const prefixes = definition?.shape === 'published' ? definition.namePrefixes(spec) : undefined;
      return prefixes ? [[name, prefixes] as const] : [];
    }),
  );
}

/**
 * Maps URLs to the registries that this process serves. It is consulted for every request, so its content may change
 * over time.
 */
export interface RegistryDirectory {
  /** Returns the registry that is served below `/{namespace}/{name}`. */
  find(namespace: string, name: string): ServedRegistry | undefined;
  /** Returns the registry that is served at `/`. */
  default(): ServedRegistry | undefined;
  all(): readonly ServedRegistry[];
}

/**
 * Whether a name in a path means the whole registry. In other products a registry has one name and many sources, and a
 * client with that name must find all of them. A source or view of this name takes precedence.
 */
export function isWholeRegistry({ name, sources, views }: ServedRegistry, asked: string): boolean {
  return asked === name && !(views ? views.some((view) => view.name === asked) : sources.includes(asked));
}

/**
 * Returns the directory of a pod, which serves its only registry at `/`. Nothing is served below `/{namespace}/{name}`,
 * so that no name can be confused with a part of a path.
 */
export function onlyRegistry(registry: ServedRegistry): RegistryDirectory {
  return { find: () => undefined, default: () => registry, all: () => [registry] };
}

/** The registries that a process serves, by `namespace/name`, each with its uid; undefined if any uid is accepted. */
export type ServedUids = ReadonlyMap<string, string | undefined>;

export function servedUids(directory: RegistryDirectory): ServedUids {
  return new Map(directory.all().map((registry) => [displayRef(registry), registry.uid]));
}
