import type { Auth } from '#spec/auth-spec.js';
import type { Surface } from '#spec/console-spec.js';
import { toSurface } from '#spec/console-spec.js';
import { findSource } from '#sources/index.js';
import type { WebhookSpec } from '#spec/webhook-spec.js';
import type { RegistryView, ServerIdentity, ServerSpec } from '#spec/server-config.js';

/** A registry as the API serves it. */
export interface ServedRegistry extends Surface {
  readonly namespace: string;
  readonly name: string;
  readonly displayName?: string;
  /** Names of its sources, as its spec has them. */
  readonly sources: readonly string[];
  /** The prefixes that published names must have, by managed source; a source without an item takes any name. */
  readonly namePrefixes?: ReadonlyMap<string, readonly string[]>;
  /** The views and their names; when absent, each source is served under its own name. */
  readonly views?: readonly RegistryView[];
  /** The webhooks, each with the names of the sources that it is about. */
  readonly webhooks?: readonly ServedWebhook[];
  /** Who may use it. */
  readonly auth: Auth;
}

export type ServedWebhook = WebhookSpec & { readonly sources: readonly string[] };

/** Derives the served registry from a spec. */
export function toServedRegistry(
  { namespace, name }: ServerIdentity,
  { displayName, registries, views, auth, webhooks = [], ...surface }: ServerSpec,
): ServedRegistry {
  const sources = registries.map((source) => source.name);
  return {
    namespace,
    name,
    ...(displayName !== undefined && { displayName }),
    sources,
    namePrefixes: namePrefixesOf(registries),
    ...(views && { views }),
    webhooks: toServedWebhooks(webhooks, registries),
    auth,
    ...toSurface(surface),
  };
}

/** A webhook that names no sources is about all but those whose changes this server observes by itself. */
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

/** Which registries this process serves, and where. Asked for every request, so its answers may change over time. */
export interface RegistryDirectory {
  /** The registry that is served below `/{namespace}/{name}`. */
  find(namespace: string, name: string): ServedRegistry | undefined;
  /** The registry that is served at `/`. */
  default(): ServedRegistry | undefined;
  all(): readonly ServedRegistry[];
}

/**
 * Whether a name in a path means all of a registry: elsewhere a registry has one name and many sources, and clients that
 * are told that name shall find all of them. What is served by a name of its own goes first.
 */
export function isWholeRegistry({ name, sources, views }: ServedRegistry, asked: string): boolean {
  return asked === name && !(views ? views.some((view) => view.name === asked) : sources.includes(asked));
}

/** A pod serves its one registry at `/` and nothing below it, so that no name can be taken for part of a path. */
export function onlyRegistry(registry: ServedRegistry): RegistryDirectory {
  return { find: () => undefined, default: () => registry, all: () => [registry] };
}
