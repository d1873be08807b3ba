import { hash } from 'node:crypto';
import type { OAuth } from '#spec/auth-spec.js';
import type { Caller } from './caller.js';
import type { LoginEndpoints } from './discovery.js';
import { IdentityProvider } from './identity-provider.js';
import type { ProviderContext } from './identity-provider.js';
import { inspectToken } from '#identity/unverified-token.js';
import type { UnverifiedToken } from '#identity/unverified-token.js';
import type { TokenCheck, Verdict } from '#identity/verdict.js';
import { VerifiedTokens } from './verified-tokens.js';

/** What a rejected JWT claims about itself, for the audit log. Truncated, because its sender chose the content. */
export interface TokenDescription {
  readonly tokenIssuer: string;
  readonly tokenAudiences: readonly string[];
}

/** The result of an authentication. `provider` is the one that checked the token; undefined if none did. */
export type Authentication =
  | { readonly kind: 'accepted'; readonly caller: Caller }
  | {
      readonly kind: 'refused';
      readonly provider: string | undefined;
      readonly check: TokenCheck;
      readonly why: string;
      /**
       * Set if no provider of the registry issues such tokens, which means that the client sent the token of another
       * service.
       */
      readonly isForeign?: true;
      readonly token?: TokenDescription;
    }
  | { readonly kind: 'unavailable'; readonly provider: string; readonly why: string };

const DESCRIBED_LENGTH = 200;
const DESCRIBED_AUDIENCES = 5;

/** Authenticates bearer tokens with the providers of one registry. */
export class Authenticator {
  readonly #providers: readonly IdentityProvider[];
  readonly #verified = new VerifiedTokens();
  readonly #running = new Map<string, Promise<Authentication>>();

  constructor(oauth: OAuth, namespace: string, context: ProviderContext) {
    this.#providers = oauth.providers.map(
      (spec) => new IdentityProvider(spec, namespace, context, () => this.#verified.dropProvider(spec.name)),
    );
  }

  /** Returns the caller synchronously if the token is in the cache, otherwise a promise of the verification. */
  identify(token: string): Caller | Promise<Authentication> {
    const key = hash('sha256', token, 'base64url');
    return this.#verified.find(key, Date.now()) ?? this.authenticate(token, key);
  }

  /**
   * Returns the login endpoints of a provider; undefined if the spec has no provider of that name. Throws
   * ProviderUnavailable.
   */
  async loginEndpoints(provider: string): Promise<LoginEndpoints | undefined> {
    return this.#providers.find(({ name }) => name === provider)?.loginEndpoints();
  }

  async close(): Promise<void> {
    await Promise.all(this.#providers.map((provider) => provider.close()));
  }

  /** A singleflight: a token that arrives a hundred times at once is verified only once. */
  private authenticate(token: string, key: string): Promise<Authentication> {
    const running = this.#running.get(key) ?? this.askProviders(token, key).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  /**
   * Asks the providers in the order of the spec until one accepts the token. An unreachable provider takes precedence
   * over rejections, because it might have accepted the token.
   */
  private async askProviders(token: string, key: string): Promise<Authentication> {
    const unverified = inspectToken(token);
    if (unverified.kind === 'unfit') return { ...unverified, kind: 'refused', provider: undefined };
    let answer: Authentication | undefined;
    for (const provider of this.#providers) {
      const { generation } = provider;
      const verdict = await provider.judge(token, unverified);
      if (verdict?.kind === 'accepted') return this.accept(provider, verdict, { key, generation });
      if (verdict && outweighs(verdict, answer)) answer = { ...verdict, provider: provider.name };
    }
    return { ...(answer ?? unclaimed(unverified)), ...describe(unverified) };
  }

  /**
   * Caches the caller, unless the keys have changed during the verification, after which the token must be verified
   * again.
   */
  private accept(
    { name, generation: current }: IdentityProvider,
    { claims }: Verdict & { kind: 'accepted' },
    { key, generation }: { readonly key: string; readonly generation: number },
  ): Authentication {
    const { subject, scopes, expiresAtMs } = claims;
    const caller: Caller = { provider: name, subject, scopes };
    if (generation === current) this.#verified.keep(key, caller, expiresAtMs, Date.now());
    return { kind: 'accepted', caller };
  }
}

/**
 * Whether a verdict is more important than the previous one. A wrong audience is the least important: if several
 * providers have the same issuer, it is the normal result of all but one.
 */
function outweighs(verdict: Verdict, answer: Authentication | undefined): boolean {
  if (answer === undefined) return true;
  if (answer.kind !== 'refused') return false;
  return verdict.kind === 'unavailable' || answer.check === 'aud';
}

function unclaimed({ kind }: UnverifiedToken): Authentication {
  const refused = { kind: 'refused', provider: undefined, isForeign: true } as const;
  if (kind === 'jwt') return { ...refused, check: 'iss', why: 'no provider has its issuer (iss) as issuerUrl' };
  return { ...refused, check: 'form', why: 'it is not a JWT, and no provider has an introspectionUrl for it' };
}

function describe(token: UnverifiedToken): { token?: TokenDescription } {
  if (token.kind !== 'jwt') return {};
  const cut = (text: string) => text.slice(0, DESCRIBED_LENGTH);
  return {
    token: {
      tokenIssuer: cut(token.issuer),
      tokenAudiences: token.audiences.slice(0, DESCRIBED_AUDIENCES).map(cut),
    },
  };
}
