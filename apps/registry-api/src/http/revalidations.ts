import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Catalogue, CatalogueScope } from '../catalogue/catalogue.js';
import { API_LIMITS } from '../limits.js';
import type { RegistryDirectory, ServedRegistry } from '../served-registry.js';
import { acceptsJson } from './accepted-types.js';
import type { CatalogueState } from './catalogue-state.js';
import { getServedRegistry, resolveAddress } from '../request-registry.js';
import { scopeOf } from './served-scope.js';

/** What a URL led to. */
interface Target {
  readonly registry: ServedRegistry;
  readonly scope: CatalogueScope;
  readonly route: string;
  readonly state: CatalogueState;
}

/**
 * Answers a client that revalidates what it has, as mirrors and editors mostly do, with 304 before the request is routed: routing
 * takes longer than all the rest of such an answer.
 *
 * It knows the URLs that were answered so before, from the edition of the catalogue that is served now. Only registries
 * that anybody may read are here, and only as long as what they hold is not stale; everything else goes its usual way.
 */
export class Revalidations {
  /** By edition, with which they go, and URL. */
  readonly #targets = new WeakMap<object, Map<string, Target>>();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly directory: RegistryDirectory,
  ) {}

  /** The client had what `state` answers to this request. */
  remember(request: FastifyRequest, state: CatalogueState): void {
    const { originalUrl: url, routeOptions } = request;
    const { edition } = this.catalogue;
    const { url: route } = routeOptions;
    const registry = getServedRegistry(request);
    if (registry.auth.mode !== 'anonymous' || url.length > API_LIMITS.keptUrlLength || !edition || route === undefined)
      return;
    let targets = this.#targets.get(edition);
    if (!targets) this.#targets.set(edition, (targets = new Map()));
    if (targets.size >= API_LIMITS.knownRevalidations && !targets.has(url)) targets.clear();
    targets.set(url, { registry, scope: scopeOf(request), route, state });
  }

  /** Answers, and returns the route that would have; undefined: it is not for here. */
  answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): string | undefined {
    const { 'if-none-match': ifNoneMatch, accept } = headers;
    if (ifNoneMatch === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined;
    const target = this.#targetOf(url);
    if (!target || (accept !== undefined && !acceptsJson(accept))) return undefined;
    const lines = target.state.notModified(ifNoneMatch, 'everybody');
    if (!lines) return undefined;
    response.writeHead(304, lines as OutgoingHttpHeader[]).end();
    return target.route;
  }

  #targetOf(url: string): Target | undefined {
    const { edition, isFresh } = this.catalogue;
    const target = edition && this.#targets.get(edition)?.get(url);
    if (!target || resolveAddress(url, this.directory).registry !== target.registry) return undefined;
    return isFresh || !this.catalogue.staleSince(target.scope) ? target : undefined;
  }
}
