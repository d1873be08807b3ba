import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Catalogue } from '../catalogue/catalogue-reader.js';
import type { RegistryDirectory, ServedRegistry } from '../served-registry.js';
import { acceptsJson } from './accepted-types.js';
import type { CatalogueState } from './catalogue-state.js';
import { getAddressPrefix, getServedRegistry } from './served-scope.js';

/** All are let go at once: those that are asked for come back, and nothing has to be counted one by one. */
const KNOWN_URLS = 10_000;
const KNOWN_URL_LENGTH = 1024;

/** What a URL leads to. */
interface Target {
  readonly registry: ServedRegistry;
  /** It stands in the URL; otherwise it is the one at `/`. */
  readonly isNamed: boolean;
  readonly route: string;
  readonly state: CatalogueState;
}

/**
 * Who asks again for what he has, as mirrors and editors do most of the time, is told so (304) before his request is
 * routed: that takes longer than all the rest of such an answer.
 *
 * It knows the URLs that were answered so before, from the edition of the catalogue that is served now. Only registries
 * that anybody may read are here, and only while nothing is stale; for all else the request goes its usual way.
 */
export class Revalidations {
  readonly #targets = new Map<string, Target>();
  #edition: object | undefined;

  constructor(
    private readonly catalogue: Catalogue,
    private readonly directory: RegistryDirectory,
  ) {}

  /** The client had what `state` answers to this request. */
  remember(request: FastifyRequest, state: CatalogueState): void {
    const { originalUrl: url, routeOptions } = request;
    const registry = getServedRegistry(request);
    if (registry.auth.mode !== 'anonymous' || url.length > KNOWN_URL_LENGTH) return;
    const { edition } = this.catalogue;
    if (edition !== this.#edition || this.#targets.size === KNOWN_URLS) this.#targets.clear();
    this.#edition = edition;
    const isNamed = getAddressPrefix(request) !== '';
    this.#targets.set(url, { registry, isNamed, route: routeOptions.url ?? '', state });
  }

  /** Answers, and returns the route that would have; undefined: it is not for here. */
  answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): string | undefined {
    const { 'if-none-match': ifNoneMatch, accept } = headers;
    if (ifNoneMatch === undefined || (method !== 'GET' && method !== 'HEAD')) return undefined;
    const { catalogue } = this;
    const target = this.#targets.get(url);
    if (!target || catalogue.edition !== this.#edition || !catalogue.isFresh) return undefined;
    if (accept !== undefined && !acceptsJson(accept)) return undefined;
    if (this.#registryOf(target) !== target.registry) return undefined;
    const lines = target.state.notModified(ifNoneMatch, false);
    if (!lines) return undefined;
    response.writeHead(304, lines as OutgoingHttpHeader[]).end();
    return target.route;
  }

  /** The one that is served there now. */
  #registryOf({ isNamed, registry: { namespace, name } }: Target): ServedRegistry | undefined {
    return isNamed ? this.directory.find(namespace, name) : this.directory.default();
  }
}
