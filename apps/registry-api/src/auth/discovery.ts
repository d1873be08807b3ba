import type { OAuthProvider } from '#config/auth-spec.js';
import type { ProviderHttp } from './provider-http.js';
import { ProviderUnavailable } from './verdict.js';

/** Providers move their keys about as often as they move house. */
const KEPT_MS = 60 * 60_000;

/** Where a provider's keys are: as the spec says, or else as the provider itself says it (OpenID Connect Discovery 1.0). */
export class Discovery {
  #found: { readonly jwksUrl: string; readonly atMs: number } | undefined;

  constructor(
    private readonly spec: OAuthProvider,
    private readonly http: ProviderHttp,
    private readonly now: () => number,
  ) {}

  /** Throws ProviderUnavailable. */
  async jwksUrl(): Promise<string> {
    if (this.spec.jwksUrl !== undefined) return this.spec.jwksUrl;
    if (this.#found && this.now() - this.#found.atMs < KEPT_MS) return this.#found.jwksUrl;
    const { issuerUrl } = this.spec;
    const url = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { issuer, jwks_uri: jwksUrl } = await this.http.getJson(url);
    // Section 4.3: or else the keys of one issuer could pass for those of another.
    if (issuer !== issuerUrl) {
      throw new ProviderUnavailable(
        `${url} speaks for another issuer: set issuerUrl to exactly what its "issuer" says`,
      );
    }
    if (typeof jwksUrl !== 'string' || !isFit(jwksUrl, issuerUrl)) {
      throw new ProviderUnavailable(`${url} has no usable jwks_uri: set jwksUrl`);
    }
    this.#found = { jwksUrl, atMs: this.now() };
    return jwksUrl;
  }

  /** The keys were not there: asks again next time. */
  forget(): void {
    this.#found = undefined;
  }
}

function isFit(jwksUrl: string, issuerUrl: string): boolean {
  if (!URL.canParse(jwksUrl)) return false;
  const { protocol } = new URL(jwksUrl);
  return protocol === 'https:' || (protocol === 'http:' && issuerUrl.startsWith('http:'));
}
