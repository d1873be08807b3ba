import { isDeepStrictEqual } from 'node:util';
import type { FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Auth, OAuth } from '#spec/auth-spec.js';
import { displayRef } from '#domain/registry-ref.js';
import { shortened } from '#domain/shortened.js';
import { Refusal } from '../refusal.js';
import { API_LIMITS } from '../limits.js';
import { isWholeRegistry } from '../served-registry.js';
import type { ServedRegistry } from '../served-registry.js';
import { AuditLog } from './audit-log.js';
import type { Asked } from './audit-log.js';
import { AuthCounters } from './auth-counters.js';
import { Authenticator } from './authenticator.js';
import type { Authentication } from './authenticator.js';
import type { Caller } from './caller.js';
import { insufficientScope, invalidToken, loginWanted, malformedCredentials, neverAuthenticated } from './challenge.js';
import type { ChallengeTerms } from './challenge.js';
import { readCredentials } from './credentials.js';
import { isFault } from './discovery.js';
import type { LoginEndpoints } from './discovery.js';
import { grantAccess, grantedAccess } from './granted-access.js';
import type { GrantedAccess } from './granted-access.js';
import { openPart } from './open-part.js';
import type { OpenPart } from './open-part.js';
import type { AuthReferences } from './provider-material.js';
import { isPublicPath } from './public-path.js';
import type { Requirement } from './requirement.js';
import { metadataUrlOf } from './resource-url.js';

export interface AccessControlOptions {
  readonly references: AuthReferences;
  readonly version: string;
  readonly logger: Logger;
  /** Milliseconds of a clock that never goes back; for tests. */
  readonly now?: () => number;
}

/** A request that needs a decision, with what decides it. */
interface Visit {
  readonly request: FastifyRequest;
  readonly registry: ServedRegistry;
  readonly oauth: OAuth;
  readonly requirement: Requirement;
}

/** The access of callers who see all of a registry. */
const EVERYTHING: GrantedAccess = {};

/** Authorizes requests, for every registry that this process serves. */
export class AccessControl {
  readonly counters = new AuthCounters();
  readonly #audit: AuditLog;
  readonly #options: AccessControlOptions;
  readonly #byAuth = new WeakMap<Auth, Authenticator>();
  /** The last one of each registry, to be closed when its auth changes. */
  readonly #byRegistry = new Map<string, { readonly oauth: OAuth; readonly authenticator: Authenticator }>();

  /** The failing providers of each registry. */
  readonly #faults = new Map<string, Set<string>>();

  constructor(options: AccessControlOptions) {
    this.#options = options;
    this.#audit = new AuditLog(options.logger);
  }

  /** True, or throws the Refusal that says why not. Takes no turn of the event loop for a token that is known. */
  admit(request: FastifyRequest, registry: ServedRegistry, requirement: Requirement): boolean | Promise<boolean> {
    const { auth } = registry;
    if (auth.mode === 'anonymous') return this.admitAnybody(request, registry, requirement);
    const visit = { request, registry, oauth: auth.oauth, requirement };
    const credentials = readCredentials(request.raw);
    if (credentials.kind === 'none') return this.admitUnknown(visit, auth);
    if (credentials.kind === 'malformed') throw this.refuseMalformed(visit, credentials.why);
    const identified = this.authenticator(registry, auth).identify(credentials.token);
    if (identified instanceof Promise) return identified.then((result) => this.admitAuthenticated(visit, result, auth));
    return this.admitCaller(visit, identified);
  }

  /** Returns the caller of a request that was admitted; throws a Refusal in an anonymous registry, which has no callers. */
  whoIs(request: FastifyRequest, registry: ServedRegistry): { readonly caller: Caller; readonly mayWrite: boolean } {
    const { caller } = grantedAccess(request.raw);
    const { auth } = registry;
    if (auth.mode === 'anonymous') throw neverAuthenticated();
    if (!caller) throw loginWanted(termsOf({ request, oauth: auth.oauth }));
    const scope = auth.oauth.requiredScopes?.write;
    return { caller, mayWrite: scope === undefined || caller.scopes.has(scope) };
  }

  /** Returns the registries of which an identity provider is unavailable or misconfigured, as `namespace/name`. */
  registriesWithProviderFaults(): readonly string[] {
    return Array.from(this.#faults).flatMap(([registry, providers]) => (providers.size > 0 ? [registry] : []));
  }

  /** Returns where people sign in with a provider of the registry; undefined while that provider is unavailable. */
  async loginEndpoints(registry: ServedRegistry, provider: string): Promise<LoginEndpoints | undefined> {
    const { auth } = registry;
    if (auth.mode === 'anonymous') return undefined;
    try {
      return await this.authenticator(registry, auth).loginEndpoints(provider);
    } catch (error) {
      if (isFault(error)) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#audit.close();
    await Promise.all(Array.from(this.#byRegistry.values(), ({ authenticator }) => authenticator.close()));
  }

  /** Admits a request to an anonymous registry; reads there are not audited. */
  private admitAnybody(request: FastifyRequest, registry: ServedRegistry, requirement: Requirement): boolean {
    if (requirement === 'write') {
      this.#audit.refused({}, askedOf(request, registry), 'the registry has auth.mode anonymous');
      throw new Refusal('forbidden', WRITES_WANT_A_CALLER);
    }
    grantAccess(request.raw, EVERYTHING);
    return true;
  }

  private admitUnknown(visit: Visit, auth: Auth & { mode: 'oauth' }): boolean {
    const { request, registry, requirement } = visit;
    const source = sourceOf(request);
    if (isReading(request) && requirement !== 'write' && isPublicPath(request.url, auth.publicPaths ?? [])) {
      grantAccess(request.raw, EVERYTHING);
      this.#audit.allowedRead(undefined, displayRef(registry), knownSource(registry, source));
      return true;
    }
    const open = openPartOf(visit, auth);
    if (!open) {
      this.counters.count(undefined, 'missing');
      this.#audit.refused({}, askedOf(request, registry), 'no credentials were sent');
      throw loginWanted(termsOf(visit));
    }
    grantAccess(request.raw, { visibleSources: open.sources });
    this.#audit.allowedRead(undefined, displayRef(registry), knownSource(registry, source));
    return true;
  }

  private refuseMalformed(visit: Visit, why: string): Refusal {
    this.counters.count(undefined, 'malformed');
    this.#audit.refused({}, askedOf(visit.request, visit.registry), why);
    return malformedCredentials(termsOf(visit), why);
  }

  private admitAuthenticated(visit: Visit, result: Authentication, auth: Auth & { mode: 'oauth' }): boolean {
    if (result.kind === 'accepted') return this.admitCaller(visit, result.caller);
    // Editors send the token of their own service to every registry; what is open to all is open to them.
    if (result.kind === 'refused' && result.isForeign && openPartOf(visit, auth)) return this.admitUnknown(visit, auth);
    const { provider, why } = result;
    this.counters.count(provider, result.kind);
    const details = result.kind === 'refused' ? { check: result.check, ...result.token } : {};
    this.#audit.refused({ provider }, askedOf(visit.request, visit.registry), why, details);
    if (result.kind === 'unavailable')
      throw new Refusal('unavailable', TOKEN_CANNOT_BE_CHECKED, { retryAfterSeconds: 5 });
    throw invalidToken(termsOf(visit));
  }

  private admitCaller(visit: Visit, caller: Caller): boolean {
    const { request, registry, oauth, requirement } = visit;
    const scope = oauth.requiredScopes?.[requirement === 'write' ? 'write' : 'read'];
    if (scope !== undefined && !caller.scopes.has(scope)) {
      this.counters.count(caller.provider, 'forbidden');
      this.#audit.refused(caller, askedOf(request, registry), `the token lacks the scope ${scope}`);
      throw insufficientScope(termsOf(visit), scope);
    }
    this.counters.count(caller.provider, 'accepted');
    if (requirement === 'read')
      this.#audit.allowedRead(caller, displayRef(registry), knownSource(registry, sourceOf(request)));
    else this.#audit.allowed(caller, askedOf(request, registry));
    grantAccess(request.raw, { caller });
    return true;
  }

  /** An edit of a spec that leaves its auth as it was keeps what is known of keys and tokens. */
  private authenticator({ namespace, name }: ServedRegistry, auth: Auth & { mode: 'oauth' }): Authenticator {
    const known = this.#byAuth.get(auth);
    if (known) return known;
    const ref = displayRef({ namespace, name });
    const previous = this.#byRegistry.get(ref);
    const isSame = previous !== undefined && isDeepStrictEqual(previous.oauth, auth.oauth);
    const authenticator = isSame ? previous.authenticator : this.createAuthenticator(ref, namespace, auth.oauth);
    if (!isSame) void previous?.authenticator.close();
    this.#byAuth.set(auth, authenticator);
    this.#byRegistry.set(ref, { oauth: auth.oauth, authenticator });
    return authenticator;
  }

  private createAuthenticator(registry: string, namespace: string, oauth: OAuth): Authenticator {
    const { references, version, logger, now = () => performance.now() } = this.#options;
    const failing = new Set<string>();
    this.#faults.set(registry, failing);
    return new Authenticator(oauth, namespace, {
      references,
      version,
      now,
      onFault(provider, fault) {
        if (fault === undefined) failing.delete(provider);
        else failing.add(provider);
        if (fault === undefined) logger.info({ registry, provider }, 'identity provider available again');
        else logger.warn({ registry, provider, fault }, 'identity provider unavailable');
      },
    });
  }
}

const WRITES_WANT_A_CALLER =
  'this registry has auth.mode anonymous, and nothing is changed for a caller who is not known: set auth.mode to oauth';
const TOKEN_CANNOT_BE_CHECKED =
  'the token cannot be checked now, because its identity provider does not answer; retry later';

/** Returns what `publicRead` opens, if the request reads that; undefined otherwise. */
function openPartOf(
  { request, registry, requirement }: Visit,
  { publicRead }: Auth & { mode: 'oauth' },
): OpenPart | undefined {
  const open = requirement === 'read' ? openPart(publicRead, registry.views) : undefined;
  const source = sourceOf(request);
  return source === undefined || open?.names.has(source) || isWholeRegistry(registry, source) ? open : undefined;
}

/** Returns the source that the path names. */
function sourceOf(request: FastifyRequest): string | undefined {
  return (request.params as { source?: string }).source;
}

/** The key by which reads of a source are counted: every name that is none has one key, since a path may hold any text. */
function knownSource(registry: ServedRegistry, name: string | undefined): string | undefined {
  if (name === undefined || isWholeRegistry(registry, name)) return name;
  const { sources, views } = registry;
  const isKnown = views ? views.some((view) => view.name === name) : sources.includes(name);
  return isKnown ? name : UNKNOWN_SOURCE;
}

const UNKNOWN_SOURCE = '(unknown)';

/** Returns true for requests that only read: no public path opens anything else. */
function isReading({ method, routeOptions }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD' || routeOptions.config.readsByPost?.requirement === 'read';
}

function termsOf({ request, oauth }: { readonly request: FastifyRequest; readonly oauth: OAuth }): ChallengeTerms {
  return { realm: oauth.realm, metadataUrl: metadataUrlOf(request, oauth) };
}

function askedOf(request: FastifyRequest, registry: ServedRegistry): Asked {
  const [path = ''] = request.originalUrl.split('?');
  return {
    requestId: request.id,
    registry: displayRef(registry),
    method: request.method,
    path: shortened(path, API_LIMITS.auditPathLength),
    address: request.ip,
  };
}
