import type { FastifyRequest } from 'fastify';
import { displayRef } from '#domain/registry-ref.js';
import { isWholeRegistry } from '../served-registry.js';
import type { ServedRegistry } from '../served-registry.js';
import { describeRequest } from './audit-log.js';
import type { DescribedRequest } from './audit-log.js';
import type { ChallengeTerms } from './challenge.js';
import { openPart } from './open-part.js';
import type { OpenPart } from './open-part.js';
import { isPublicPath } from './public-path.js';
import type { OAuthMode } from './registry-authenticators.js';
import type { Requirement } from './requirement.js';
import { metadataUrlOf } from './resource-url.js';

/** A request to a registry that requires a login, with the facts on which authorization depends. */
export class Visit {
  constructor(
    readonly request: FastifyRequest,
    readonly registry: ServedRegistry,
    readonly auth: OAuthMode,
    readonly requirement: Requirement,
  ) {}

  /** The scope that the caller needs, if any. */
  get scope(): string | undefined {
    return this.auth.oauth.requiredScopes?.[this.requirement === 'write' ? 'write' : 'read'];
  }

  /** The registry, as `namespace/name`. */
  get ref(): string {
    return displayRef(this.registry);
  }

  /** The part of the request that the audit log shows. */
  get described(): DescribedRequest {
    return describeRequest(this.request, this.registry);
  }

  get terms(): ChallengeTerms {
    return challengeTerms(this.request, this.auth);
  }

  /**
   * The key under which reads of a source are counted. All unknown names share one key, because a path may contain any
   * string.
   */
  get countedSource(): string | undefined {
    const name = this.#source;
    if (name === undefined || isWholeRegistry(this.registry, name)) return name;
    const { sources, views } = this.registry;
    const isKnown = views ? views.some((view) => view.name === name) : sources.includes(name);
    return isKnown ? name : '(unknown)';
  }

  /** The part of the registry that `publicRead` opens, if that is what the request reads; undefined otherwise. */
  get openPart(): OpenPart | undefined {
    const open = this.requirement === 'read' ? openPart(this.auth.publicRead, this.registry.views) : undefined;
    const source = this.#source;
    return source === undefined || open?.names.has(source) || isWholeRegistry(this.registry, source) ? open : undefined;
  }

  /** Whether the request is a read below a path that is open to everybody. Public paths open nothing but reads. */
  get readsPublicPath(): boolean {
    const { method, routeOptions, url } = this.request;
    const isReading = method === 'GET' || method === 'HEAD' || routeOptions.config.readsByPost?.requirement === 'read';
    return isReading && this.requirement !== 'write' && isPublicPath(url, this.auth.publicPaths ?? []);
  }

  /** The source in the path of the request. */
  get #source(): string | undefined {
    return (this.request.params as { source?: string }).source;
  }
}

/** Returns the parameters of a registry's challenge to a request. */
export function challengeTerms(request: FastifyRequest, { oauth }: OAuthMode): ChallengeTerms {
  return { realm: oauth.realm, metadataUrl: metadataUrlOf(request, oauth) };
}
