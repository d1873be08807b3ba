import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Catalogue, CatalogueScope } from '../catalogue/catalogue.js';
import { API_LIMITS } from '../limits.js';
import type { RegistryDirectory, ServedRegistry } from '../served-registry.js';
import { acceptsJson } from './accepted-types.js';
import type { CatalogueState } from './catalogue-state.js';
import { getServedRegistry, resolveAddress } from '../request-registry.js';
import { scopeOf } from './served-scope.js';

/** The route and the state that a URL leads to. */
interface Target {
  readonly registry: ServedRegistry;
  readonly scope: CatalogueScope;
  readonly route: string;
  readonly state: CatalogueState;
}

/**
 * Responds with 304 to a client that revalidates its copy, as mirrors and editors mostly do, before the request is
 * routed, because routing takes longer than the rest of such a response.
 *
 * It knows the URLs of earlier 304 responses in the current edition of the catalogue. It handles only registries that
 * anybody may read, and only while their content is not stale. All other requests are routed as usual.
 */
export class Revalidations {
  /** The targets by edition and URL. They expire with their edition. */
  readonly #targets = new WeakMap<object, Map<string, Target>>();

  constructor(
    private readonly catalogue: Catalogue,
    private readonly directory: RegistryDirectory,
  ) {}

  /** Remembers that the client already had the content of `state` for this request. */
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

  /**
   * Sends a 304 and returns the route that would have handled the request; undefined if the request has to be routed.
   */
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
