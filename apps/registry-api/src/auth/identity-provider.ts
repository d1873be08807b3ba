import type { Strategy } from 'passport-strategy';
import type { OAuthProvider } from '#config/auth-spec.js';
import { Discovery } from './discovery.js';
import { KeySet } from './key-set.js';
import { ProviderHttp } from './provider-http.js';
import { ProviderMaterial } from './provider-material.js';
import type { AuthReferences } from './provider-material.js';
import { tokenProviders } from './providers/index.js';
import type { TokenProvider } from './providers/token-provider.js';
import { runStrategy } from './run-strategy.js';
import type { UnverifiedToken } from './unverified-token.js';
import type { Verdict } from './verdict.js';

/** What providers need of the process that they are asked by. */
export interface ProviderSurroundings {
  readonly references: AuthReferences;
  readonly version: string;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** The keys of a provider cannot be had, or can again (undefined). */
  onFault(provider: string, fault: string | undefined): void;
}

/** One provider of a spec. Nothing is asked of it before a token comes that is its business. */
export class IdentityProvider {
  readonly name: string;
  readonly #strategies: readonly { readonly provider: TokenProvider; readonly strategy: Strategy }[];
  readonly #http: ProviderHttp;

  constructor(
    private readonly spec: OAuthProvider,
    namespace: string,
    surroundings: ProviderSurroundings,
    onKeysChanged: () => void,
  ) {
    const { references, version, now } = surroundings;
    this.name = spec.name;
    this.#http = new ProviderHttp(spec, new ProviderMaterial(spec, namespace, references), version);
    const http = this.#http;
    const discovery = new Discovery(spec, http, now);
    const keys = new KeySet({
      load: async () => {
        try {
          return await http.getJson(await discovery.jwksUrl());
        } catch (error) {
          discovery.forget();
          throw error;
        }
      },
      onChange: onKeysChanged,
      onFault: (fault) => surroundings.onFault(spec.name, fault),
      now,
    });
    this.#strategies = tokenProviders.map((provider) => ({
      provider,
      strategy: provider.strategy(spec, { http, keys }),
    }));
  }

  /** Undefined when the token is not its business: then it has not seen it. */
  async judge(token: string, unverified: UnverifiedToken): Promise<Verdict | undefined> {
    const fitting = this.#strategies.find(({ provider }) => provider.concerns(unverified, this.spec));
    return fitting && (await runStrategy(fitting.strategy, { token }));
  }

  close(): Promise<void> {
    return this.#http.close();
  }
}
