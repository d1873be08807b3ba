import type { OAuthProvider } from '#identity/provider-spec.js';
import type { ProviderHttp } from '#identity/provider-http.js';
import { ProviderMisconfigured, ProviderUnavailable } from '#identity/verdict.js';

/** How long a document is cached. Providers rarely move their endpoints. */
const KEPT_MS = 60 * 60_000;
/** How long a failure is cached, because anybody can request the login endpoints. */
const COOL_DOWN_MS = 10_000;

type Document = Readonly<Record<string, unknown>>;

/** The endpoints for signing in with a provider. */
export interface LoginEndpoints {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
}

/** The endpoints of a provider, from the spec or else from its own metadata document (OpenID Connect Discovery 1.0). */
export class Discovery {
  #found: { readonly document: Document; readonly atMs: number } | undefined;
  #loading: Promise<Document> | undefined;
  #failed: { readonly error: Error; readonly atMs: number } | undefined;

  constructor(
    private readonly spec: OAuthProvider,
    private readonly http: ProviderHttp,
    private readonly now: () => number,
  ) {}

  /** Returns the URL of the provider's keys. Throws ProviderUnavailable or ProviderMisconfigured. */
  async jwksUrl(): Promise<string> {
    if (this.spec.jwksUrl !== undefined) return this.spec.jwksUrl;
    return this.endpoint(await this.document(), 'jwks_uri', ': set jwksUrl');
  }

  /**
   * Returns the login endpoints. Throws the same errors as `jwksUrl`, and repeats an error for ten seconds without
   * asking the provider.
   */
  async loginEndpoints(): Promise<LoginEndpoints> {
    if (this.#failed && this.now() - this.#failed.atMs < COOL_DOWN_MS) throw this.#failed.error;
    try {
      const document = await this.document();
      const [authorizationEndpoint, tokenEndpoint] = ['authorization_endpoint', 'token_endpoint'].map((field) =>
        this.endpoint(document, field),
      ) as [string, string];
      this.#failed = undefined;
      return { issuer: this.spec.issuerUrl, authorizationEndpoint, tokenEndpoint };
    } catch (error) {
      if (isFault(error)) this.#failed = { error, atMs: this.now() };
      throw error;
    }
  }

  /** Drops the cached document, because the keys could not be fetched with it. */
  forget(): void {
    this.#found = undefined;
  }

  /** A singleflight: concurrent callers wait for the same fetch of the document. */
  private document(): Promise<Document> {
    if (this.#found && this.now() - this.#found.atMs < KEPT_MS) return Promise.resolve(this.#found.document);
    this.#loading ??= this.load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  private async load(): Promise<Document> {
    const { issuerUrl } = this.spec;
    const url = this.url();
    const document = await this.http.getJson(url);
    // Required by section 4.3: otherwise the keys of one issuer could be accepted for another.
    if (document['issuer'] !== issuerUrl) {
      throw new ProviderUnavailable(
        `${url} is the metadata of another issuer: set issuerUrl to exactly the value of its "issuer"`,
      );
    }
    this.#found = { document, atMs: this.now() };
    return document;
  }

  private endpoint(document: Document, field: string, remedy = ''): string {
    const url = document[field];
    if (typeof url === 'string' && isFit(url, this.spec.issuerUrl)) return url;
    this.forget();
    throw new ProviderUnavailable(`${this.url()} has no usable ${field}${remedy}`);
  }

  private url(): string {
    return `${this.spec.issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
  }
}

/** Returns whether an error means that a provider cannot be used, either temporarily or until the spec is edited. */
export function isFault(error: unknown): error is ProviderUnavailable | ProviderMisconfigured {
  return error instanceof ProviderUnavailable || error instanceof ProviderMisconfigured;
}

/**
 * A host name or an IP address. The host of a URL may have more characters (RFC 3986), such as `*` and `;`, which have
 * a meaning in a Content-Security-Policy.
 */
const HOST = /^(?:[a-z\d_-]+(?:\.[a-z\d_-]+)*\.?|\[[\da-f:.]+\])$/;

/** Whether the URL is safe to use. The origin of an endpoint becomes part of the console's Content-Security-Policy. */
function isFit(url: string, issuerUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, username, password } = new URL(url);
  if (!HOST.test(hostname) || username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && issuerUrl.startsWith('http:'));
}
