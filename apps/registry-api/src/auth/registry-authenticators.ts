import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import type { Auth, OAuth } from '#spec/auth-spec.js';
import { displayRef } from '#domain/registry-ref.js';
import type { ServedRegistry } from '../served-registry.js';
import { Authenticator } from './authenticator.js';
import type { AuthReferences } from './provider-material.js';

/** An auth block that requires a login. */
export type OAuthMode = Auth & { readonly mode: 'oauth' };

export interface AuthenticatorOptions {
  readonly references: AuthReferences;
  readonly version: string;
  readonly logger: Logger;
  /** Returns the milliseconds of a monotonic clock; can be replaced in tests. */
  readonly now?: () => number;
}

/**
 * The authenticators of all registries, one per registry, and the identity providers of each that are unavailable or
 * misconfigured.
 */
export class RegistryAuthenticators {
  readonly #options: AuthenticatorOptions;
  readonly #byAuth = new WeakMap<Auth, Authenticator>();
  /** The latest authenticator of each registry, which is closed when the auth of the registry changes. */
  readonly #byRegistry = new Map<string, { readonly oauth: OAuth; readonly authenticator: Authenticator }>();
  /** The failing providers of each registry. */
  readonly #faults = new Map<string, Set<string>>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
  }

  /**
   * Returns the authenticator of a registry. Cached keys and tokens survive an edit of the spec that leaves its auth
   * unchanged.
   */
  get({ namespace, name }: ServedRegistry, auth: OAuthMode): Authenticator {
    const known = this.#byAuth.get(auth);
    if (known) return known;
    const ref = displayRef({ namespace, name });
    const previous = this.#byRegistry.get(ref);
    const isSame = previous !== undefined && isDeepStrictEqual(previous.oauth, auth.oauth);
    const authenticator = isSame ? previous.authenticator : this.#create(ref, namespace, auth.oauth);
    if (!isSame) void previous?.authenticator.close();
    this.#byAuth.set(auth, authenticator);
    this.#byRegistry.set(ref, { oauth: auth.oauth, authenticator });
    return authenticator;
  }

  /** Returns the registries, as `namespace/name`, that have an unavailable or misconfigured identity provider. */
  registriesWithFaults(): readonly string[] {
    return Array.from(this.#faults).flatMap(([registry, providers]) => (providers.size > 0 ? [registry] : []));
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#byRegistry.values(), ({ authenticator }) => authenticator.close()));
  }

  #create(registry: string, namespace: string, oauth: OAuth): Authenticator {
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
