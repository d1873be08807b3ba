import { BoundedMap } from '#domain/bounded-map.js';
import type { AddressReach } from '#http/address-policy.js';
import type { GuardedFetch } from '#http/guarded-fetch.js';
import { shownUrl } from '#http/http-failure.js';
import { RETRY_POLICY, withRetries } from '#http/with-retries.js';
import { concealPrivate } from '../conceal-private.js';
import { rewriteHttpUrl } from '../rewrite-url.js';
import type { Access } from './access.js';
import type { ApiContext } from './api-context.js';
import { forgetToken, obtainToken } from './token-endpoint.js';

/** Remedy that says how to trust the certificates of a registry and of its token endpoint. */
export const AUTHORITY_REMEDY = 'set api.caCertRef to its certificate authority';

const NO_LOGIN = 'it requires a login: set api.auth, or allow anonymous reads there';

/** Maximum number of remembered tokens. One list of servers needs far fewer; a token has at most 16 KiB. */
const REMEMBERED_TOKENS = 100;

/**
 * Provides the bearer tokens for requests to one registry: none, a given one, or those that a token endpoint issues.
 */
export class Authorization implements AsyncDisposable {
  readonly #access: Access;
  readonly #fetch: GuardedFetch | undefined;
  readonly #timeoutMs: number;
  readonly #context: ApiContext;
  /** Whether the token endpoint has a private address. */
  #isPrivate = false;
  /** The tokens that were sent, newest last. */
  readonly #sent = new BoundedMap<string, true>(REMEMBERED_TOKENS);

  constructor(
    access: Access,
    createFetch: (onAttempt: (reach: AddressReach) => void) => GuardedFetch,
    timeoutMs: number,
    context: ApiContext,
  ) {
    this.#access = access;
    this.#timeoutMs = timeoutMs;
    this.#context = context;
    this.#fetch = access.client && createFetch((reach) => (this.#isPrivate ||= reach === 'private'));
  }

  /** Returns the token to send, or undefined if there is none. Throws a RegistryError or the abort reason. */
  async token(): Promise<string | undefined> {
    const { token, client } = this.#access;
    const value = client ? await this.#obtain(client) : token?.value;
    if (value === undefined) return undefined;
    this.#sent.set(value, true);
    return value;
  }

  /** Forgets a token that the registry has rejected. Returns whether another one can be obtained. */
  renew(token: string): boolean {
    const { client } = this.#access;
    if (client) forgetToken(client, this.#addressOf(client), token);
    return client !== undefined;
  }

  /** The strings to redact in error messages. A server may repeat an earlier token too, so all are included. */
  get secrets(): readonly string[] {
    return [...this.#sent.keys()];
  }

  /** What the user should do if the registry rejects the credentials. */
  get remedy(): string {
    const { token, client } = this.#access;
    if (token) return `it rejects the token in ${token.from}: store a token that may read it`;
    if (!client) return NO_LOGIN;
    const { tokenUrl } = client.spec;
    return `it rejects the token from ${shownUrl(tokenUrl)}: check scope, audience and resource of api.auth.clientCredentials`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fetch?.[Symbol.asyncDispose]();
  }

  #obtain(client: NonNullable<Access['client']>): Promise<string> {
    const { signal, settings } = this.#context;
    const address = this.#addressOf(client);
    const limits = { signal, timeoutMs: this.#timeoutMs, authorityRemedy: AUTHORITY_REMEDY };
    const work = withRetries(
      () => obtainToken(client, address, this.#fetch as GuardedFetch, limits),
      { ...RETRY_POLICY, ...settings.retry },
      this.#context,
    );
    // Concealed separately, because a registry at a public address could cause a token request in the middle of a walk.
    return concealPrivate(shownUrl(client.spec.tokenUrl), this.#context, () => this.#isPrivate, work);
  }

  #addressOf({ spec }: NonNullable<Access['client']>): string {
    return rewriteHttpUrl(spec.tokenUrl, this.#context.settings.urlRewrites);
  }
}
