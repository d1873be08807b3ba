import type { RegistryError } from '#domain/registry-error.js';
import type { AddressReach } from '#http/address-policy.js';
import { errorText } from '#http/error-text.js';
import { createGuardedFetch } from '#http/guarded-fetch.js';
import type { GetOptions, GuardedFetch, HttpAnswer } from '#http/guarded-fetch.js';
import { HttpFailure } from '#http/http-failure.js';
import { RETRY_POLICY, withRetries } from '#http/with-retries.js';
import { rewriteHttpUrl } from '../rewrite-url.js';
import { readAccess } from './access.js';
import type { Access } from './access.js';
import { timeoutOf } from './api-spec.js';
import type { ApiSpec } from './api-spec.js';
import { AUTHORITY_REMEDY, Authorization } from './authorization.js';
import type { Omitted } from './refused-parameters.js';
import type { ApiContext, ApiLimits } from './api-context.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

export const API_LIMITS: ApiLimits = {
  maxPages: 10_000,
  maxEntries: 500_000,
  maxBytes: 512 * 1024 * 1024,
  maxPageBytes: 32 * 1024 * 1024,
};

/** API versions, newest first. The others are older names of the same API. */
const ROOTS = ['v0.1', 'v0'];

export type ListQuery = Readonly<Record<string, string | undefined>>;

/** Options for requesting a response. */
export interface ListOptions extends Pick<GetOptions, 'headers' | 'hold' | 'withoutBody'> {
  /** Maximum bytes of the response. Default: those of a page. */
  readonly maxBytes?: number;
}

/** Requests the list of servers from one registry, trying the possible paths below the endpoint. */
export class ApiClient implements AsyncDisposable {
  readonly #endpoint: string;
  readonly #timeoutMs: number;
  readonly #context: ApiContext;
  readonly #fetch: GuardedFetch;
  readonly #authorization: Authorization;
  #root: string | undefined;
  /** The parameters that are left out. Undefined until the registry has returned a page. */
  #omitted: Omitted | undefined;
  #isPrivate = false;

  private constructor(spec: ApiSpec, access: Access, context: ApiContext) {
    this.#endpoint = spec.endpoint;
    this.#timeoutMs = timeoutOf(spec);
    this.#context = context;
    const { version, addressPolicy: policy } = context.settings;
    const createFetch = (onAttempt: (reach: AddressReach) => void) =>
      createGuardedFetch({
        version,
        ...(policy && { policy }),
        ...(access.ca !== undefined && { ca: access.ca }),
        onAttempt,
      });
    this.#fetch = createFetch((reach) => (this.#isPrivate ||= reach === 'private'));
    this.#authorization = new Authorization(access, createFetch, this.#timeoutMs, context);
  }

  /** Reads the Secrets and ConfigMaps of the spec. Throws a RegistryError if one is missing or invalid. */
  static async open(spec: ApiSpec, context: ApiContext): Promise<ApiClient> {
    return new ApiClient(spec, await readAccess(spec, context.references), context);
  }

  /**
   * Requests a page of the list, with retries and without the parameters that the registry rejects. Returns a response
   * with status 2xx or 304. Throws a RegistryError or the abort reason.
   */
  async list(query: ListQuery, options: ListOptions = {}): Promise<HttpAnswer> {
    const ask = (omitted: Omitted) =>
      this.#list({ ...query, ...Object.fromEntries(omitted.map((name) => [name, undefined])) }, options);
    // Later pages leave out the same parameters as the first one: if a later page is rejected, the cause is its cursor.
    if (this.#omitted) return ask(this.#omitted);
    const given = Object.keys(query).filter((name) => query[name] !== undefined);
    const { answer, omitted } = await this.#context.refusals.askWithout(this.#endpoint, given, ask);
    this.#omitted = omitted;
    return answer;
  }

  /** Whether the last request left out this parameter because the registry rejects it. */
  omits(parameter: string): boolean {
    return this.#omitted?.includes(parameter) ?? false;
  }

  async #list(query: ListQuery, options: ListOptions): Promise<HttpAnswer> {
    const policy = { ...RETRY_POLICY, ...this.#context.settings.retry };
    const absent: HttpAnswer[] = [];
    for (const root of this.#root ? [this.#root] : ROOTS) {
      const url = this.#url(root, query);
      const answer = await withRetries(() => this.#get(url, options), policy, this.#context);
      if (answer.status !== 404) {
        this.#root = root;
        return answer;
      }
      absent.push(answer);
    }
    throw this.#notFound(absent);
  }

  /** Whether a connection to a private address was attempted. */
  get isPrivate(): boolean {
    return this.#isPrivate;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#fetch[Symbol.asyncDispose](), this.#authorization[Symbol.asyncDispose]()]);
  }

  /** Sends a request. If the registry rejects a token that was issued earlier, sends it again with a new token. */
  async #get(url: string, options: ListOptions): Promise<HttpAnswer> {
    const token = await this.#authorization.token();
    try {
      return await this.#send(url, options, token);
    } catch (error) {
      const isRefused = error instanceof HttpFailure && error.status === 401;
      if (!isRefused || token === undefined || !this.#authorization.renew(token)) throw error;
      return await this.#send(url, options, await this.#authorization.token());
    }
  }

  #send(url: string, { headers, ...options }: ListOptions, token: string | undefined): Promise<HttpAnswer> {
    const { signal, settings } = this.#context;
    const { maxPageBytes } = { ...API_LIMITS, ...settings.limits };
    return this.#fetch.get(url, {
      signal,
      headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      timeoutMs: this.#timeoutMs,
      maxBytes: maxPageBytes,
      ...options,
      secrets: this.#authorization.secrets,
      loginRemedy: this.#authorization.remedy,
      authorityRemedy: AUTHORITY_REMEDY,
    });
  }

  /** Returns the URL of a page. Keeps the query of the endpoint, because some gateways expect a key there. */
  #url(root: string, query: ListQuery): string {
    const url = new URL(this.#endpoint);
    url.pathname = `${trimmedEnd(url.pathname, '/')}/${root}/servers`;
    url.hash = '';
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    return rewriteHttpUrl(url.href, this.#context.settings.urlRewrites);
  }

  #notFound(absent: readonly HttpAnswer[]): RegistryError {
    const [first] = absent;
    const said = first && errorText(first.body, this.#authorization.secrets);
    const paths = absent.map(({ url }) => url).join(' and ');
    const remedy = 'set api.endpoint to the URL to which /v0.1/servers is appended';
    const message = `No registry API: ${paths} answered 404 Not Found${said ? ` (${said})` : ''}: ${remedy}.`;
    return new HttpFailure('FetchFailed', message, 'wait', { status: 404 });
  }
}
