import type { FastifyRequest } from 'fastify';
import { Refusal } from '../refusal.js';
import type { ServedRegistry } from '../served-registry.js';
import { AuditLog, describeRequest } from './audit-log.js';
import { AuthCounters } from './auth-counters.js';
import type { Authentication } from './authenticator.js';
import type { Caller } from './caller.js';
import { insufficientScope, invalidToken, loginWanted, malformedCredentials, neverAuthenticated } from './challenge.js';
import { readCredentials } from './credentials.js';
import { isFault } from './discovery.js';
import type { LoginEndpoints } from './discovery.js';
import { grantAccess, grantedAccess } from './granted-access.js';
import type { GrantedAccess } from './granted-access.js';
import { RegistryAuthenticators } from './registry-authenticators.js';
import type { AuthenticatorOptions } from './registry-authenticators.js';
import type { Requirement } from './requirement.js';
import { challengeTerms, Visit } from './visit.js';

/** The access of callers who may see the whole registry. */
const EVERYTHING: GrantedAccess = {};

const WRITES_WANT_A_CALLER =
  'this registry has auth.mode anonymous, and anonymous callers cannot change anything: set auth.mode to oauth';
const TOKEN_CANNOT_BE_CHECKED =
  'the token cannot be checked now, because its identity provider does not respond; retry later';

/** Authorizes requests, for every registry that this process serves. */
export class AccessControl {
  readonly counters = new AuthCounters();
  readonly #audit: AuditLog;
  readonly #authenticators: RegistryAuthenticators;

  constructor(options: AuthenticatorOptions) {
    this.#audit = new AuditLog(options.logger);
    this.#authenticators = new RegistryAuthenticators(options);
  }

  /**
   * Authorizes a request: returns true, or throws a Refusal with the reason. Synchronous if the token is in the cache.
   */
  admit(request: FastifyRequest, registry: ServedRegistry, requirement: Requirement): boolean | Promise<boolean> {
    const { auth } = registry;
    if (auth.mode === 'anonymous') return this.#admitAnybody(request, registry, requirement);
    const visit = new Visit(request, registry, auth, requirement);
    const credentials = readCredentials(request.raw);
    if (credentials.kind === 'none') return this.#admitUnknown(visit);
    if (credentials.kind === 'malformed') throw this.#refuseMalformed(visit, credentials.why);
    const identified = this.#authenticators.get(registry, auth).identify(credentials.token);
    if (identified instanceof Promise) return identified.then((result) => this.#admitAuthenticated(visit, result));
    return this.#admitCaller(visit, identified);
  }

  /**
   * Returns the caller of an admitted request. Throws a Refusal if the registry is anonymous, because its requests have
   * no caller.
   */
  whoIs(request: FastifyRequest, registry: ServedRegistry): { readonly caller: Caller; readonly mayWrite: boolean } {
    const { caller } = grantedAccess(request.raw);
    const { auth } = registry;
    if (auth.mode === 'anonymous') throw neverAuthenticated();
    if (!caller) throw loginWanted(challengeTerms(request, auth));
    const scope = auth.oauth.requiredScopes?.write;
    return { caller, mayWrite: scope === undefined || caller.scopes.has(scope) };
  }

  /** Returns the registries with an unavailable or misconfigured identity provider, as `namespace/name`. */
  registriesWithProviderFaults(): readonly string[] {
    return this.#authenticators.registriesWithFaults();
  }

  /** Returns the login endpoints of a provider of the registry; undefined while that provider is unavailable. */
  async loginEndpoints(registry: ServedRegistry, provider: string): Promise<LoginEndpoints | undefined> {
    const { auth } = registry;
    if (auth.mode === 'anonymous') return undefined;
    try {
      return await this.#authenticators.get(registry, auth).loginEndpoints(provider);
    } catch (error) {
      if (isFault(error)) return undefined;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#audit.close();
    await this.#authenticators.close();
  }

  /** Authorizes a request to an anonymous registry. Reads are not audited. */
  #admitAnybody(request: FastifyRequest, registry: ServedRegistry, requirement: Requirement): boolean {
    if (requirement === 'write') {
      this.#audit.refused({}, describeRequest(request, registry), 'the registry has auth.mode anonymous');
      throw new Refusal('forbidden', WRITES_WANT_A_CALLER);
    }
    grantAccess(request.raw, EVERYTHING);
    return true;
  }

  /** Admits a request without credentials if it reads something that is open to everybody. */
  #admitUnknown(visit: Visit): boolean {
    const { openPart } = visit;
    const access = visit.readsPublicPath
      ? EVERYTHING
      : openPart && { visibleSources: openPart.sources, visibleNames: openPart.names };
    if (!access) {
      this.counters.count(undefined, 'missing');
      this.#audit.refused({}, visit.described, 'no credentials were sent');
      throw loginWanted(visit.terms);
    }
    grantAccess(visit.request.raw, access);
    this.#audit.allowedRead(undefined, visit.ref, visit.countedSource);
    return true;
  }

  #refuseMalformed(visit: Visit, why: string): Refusal {
    this.counters.count(undefined, 'malformed');
    this.#audit.refused({}, visit.described, why);
    return malformedCredentials(visit.terms, why);
  }

  #admitAuthenticated(visit: Visit, result: Authentication): boolean {
    if (result.kind === 'accepted') return this.#admitCaller(visit, result.caller);
    // Editors send the token of their own service to every registry. A request with such a token may still read what is
    // open to everybody.
    if (result.kind === 'refused' && result.isForeign && visit.openPart) return this.#admitUnknown(visit);
    const { provider, why } = result;
    this.counters.count(provider, result.kind);
    const details = result.kind === 'refused' ? { check: result.check, ...result.token } : {};
    this.#audit.refused({ provider }, visit.described, why, details);
    if (result.kind === 'unavailable')
      throw new Refusal('unavailable', TOKEN_CANNOT_BE_CHECKED, { retryAfterSeconds: 5 });
    throw invalidToken(visit.terms);
  }

  #admitCaller(visit: Visit, caller: Caller): boolean {
    const { scope } = visit;
    if (scope !== undefined && !caller.scopes.has(scope)) {
      this.counters.count(caller.provider, 'forbidden');
      this.#audit.refused(caller, visit.described, `the token lacks the scope ${scope}`);
      throw insufficientScope(visit.terms, scope);
    }
    this.counters.count(caller.provider, 'accepted');
    if (visit.requirement === 'read') this.#audit.allowedRead(caller, visit.ref, visit.countedSource);
    else this.#audit.allowed(caller, visit.described);
    grantAccess(visit.request.raw, { caller });
    return true;
  }
}
