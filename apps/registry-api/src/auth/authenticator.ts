import { hash } from 'node:crypto';
import type { OAuth } from '#config/auth-spec.js';
import type { Caller } from './caller.js';
import type { Claims } from './claims.js';
import { IdentityProvider } from './identity-provider.js';
import type { ProviderSurroundings } from './identity-provider.js';
import { inspectToken } from './unverified-token.js';
import { VerifiedTokens } from './verified-tokens.js';

export type Authentication =
  | { readonly kind: 'accepted'; readonly caller: Caller }
  /** `provider` is the one whose business the token was; undefined when it was nobody's. */
  | { readonly kind: 'refused' | 'unavailable'; readonly provider: string | undefined; readonly why: string };

/** Finds out who a token stands for, with the providers of one registry. */
export class Authenticator {
  readonly #providers: readonly IdentityProvider[];
  readonly #verified = new VerifiedTokens();
  readonly #running = new Map<string, Promise<Authentication>>();

  constructor(oauth: OAuth, namespace: string, surroundings: ProviderSurroundings) {
    this.#providers = oauth.providers.map(
      (spec) => new IdentityProvider(spec, namespace, surroundings, () => this.#verified.dropProvider(spec.name)),
    );
  }

  /** The caller, at once, when the token was verified a moment ago; else what will come of verifying it. */
  identify(token: string): Caller | Promise<Authentication> {
    const key = hash('sha256', token, 'base64url');
    return this.#verified.find(key, Date.now()) ?? this.authenticate(token, key);
  }

  async close(): Promise<void> {
    await Promise.all(this.#providers.map((provider) => provider.close()));
  }

  /** A token that comes a hundred times at once is looked at once. */
  private authenticate(token: string, key: string): Promise<Authentication> {
    const running = this.#running.get(key) ?? this.askProviders(token, key).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  /** In the order of the spec, until one accepts. While one that could is away, a refusal by the others says nothing. */
  private async askProviders(token: string, key: string): Promise<Authentication> {
    const unverified = inspectToken(token);
    if (unverified.kind === 'unfit') return { kind: 'refused', provider: undefined, why: unverified.why };
    let answer: Authentication = { kind: 'refused', provider: undefined, why: 'it is no business of any provider' };
    for (const provider of this.#providers) {
      const verdict = await provider.judge(token, unverified);
      if (verdict?.kind === 'accepted') return this.accept(provider.name, verdict.claims, key);
      if (verdict && answer.kind !== 'unavailable') answer = { ...verdict, provider: provider.name };
    }
    return answer;
  }

  private accept(provider: string, { subject, scopes, expiresAtMs }: Claims, key: string): Authentication {
    const caller: Caller = { provider, subject, scopes };
    this.#verified.keep(key, caller, expiresAtMs, Date.now());
    return { kind: 'accepted', caller };
  }
}
