import type { OAuthProvider } from '#config/auth-spec.js';
import type { ProviderHttp } from './provider-http.js';
import { ProviderUnavailable } from './verdict.js';

/** The address of a key set rarely changes. */
const KEPT_MS = 60 * 60_000;

/** Finds the key set of a provider: at the URL of the spec, or else by OpenID Connect Discovery 1.0. */
export class Discovery {
  #found: { readonly jwksUrl: string; readonly atMs: number } | undefined;

  constructor(
    private readonly spec: OAuthProvider,
    private readonly http: ProviderHttp,
    private readonly now: () => number,
  ) {}

  /** Throws ProviderUnavailable or ProviderMisconfigured. */
  async jwksUrl(): Promise<string> {
    if (this.spec.jwksUrl !== undefined) return this.spec.jwksUrl;
    if (this.#found && this.now() - this.#found.atMs < KEPT_MS) return this.#found.jwksUrl;
    const { issuerUrl } = this.spec;
    const url = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const { issuer, jwks_uri: jwksUrl } = await this.http.getJson(url);
    // Section 4.3: otherwise the keys of one issuer could pass for those of another.
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

  /** Drops what discovery found, after the keys were not there. */
  forget(): void {
    this.#found = undefined;
  }
}

function isFit(jwksUrl: string, issuerUrl: string): boolean {
  if (!URL.canParse(jwksUrl)) return false;
  const { protocol } = new URL(jwksUrl);
  return protocol === 'https:' || (protocol === 'http:' && issuerUrl.startsWith('http:'));
}
