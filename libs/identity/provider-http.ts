import { parseJson } from '#domain/parse-json.js';
import { isFields } from '#domain/fields.js';
import { basicCredentials } from '#http/basic-credentials.js';
import type { GetOptions, GuardedFetch, HttpAnswer } from '#http/guarded-fetch.js';
import { ForbiddenAddress } from '#http/forbidden-address.js';
import { HttpFailure, shownUrl } from '#http/http-failure.js';
import type { ProviderSpec } from './provider-fields.js';
import { ProviderMisconfigured, ProviderUnavailable } from './verdict.js';

const TIMEOUT_MS = 5_000;
/** Size limits of responses. An introspection response (RFC 7662) has a few hundred bytes; a key set is larger. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_KEYS_BYTES = 512 * 1024;

/**
 * Accepted media types. The API server of Kubernetes responds with 406 to a request for keys that accepts plain JSON
 * only.
 */
const ACCEPTED = 'application/json, application/jwk-set+json';

/**
 * The secrets and certificates of one provider. They are read at each use because they are rotated. Undefined if the
 * spec does not refer to any.
 */
export interface ProviderMaterial {
  /** Certificate authorities of the provider in PEM format. */
  caCertificates(): Promise<string | undefined>;
  /** The token that authenticates requests to the provider's own endpoints. */
  bearerToken(): Promise<string | undefined>;
  clientSecret(): Promise<string | undefined>;
}

/**
 * Sends all requests to one provider, using its certificate authority and its token. The address of each connection is
 * checked, and private addresses are rejected unless the spec allows them. Redirects to another origin are rejected,
 * because otherwise another server would decide which keys are valid. Throws ProviderUnavailable, or
 * ProviderMisconfigured if the failure cannot be fixed without an edit of the spec.
 */
export class ProviderHttp {
  readonly #policy: 'private-allowed' | 'public-only';
  readonly #closing = new AbortController();
  #fetch: { readonly ca: string | undefined; readonly client: GuardedFetch } | undefined;

  constructor(
    private readonly spec: ProviderSpec,
    private readonly material: ProviderMaterial,
    private readonly version: string,
  ) {
    this.#policy = spec.allowPrivateIP ? 'private-allowed' : 'public-only';
  }

  /** Fetches one of the provider's documents, which must be a JSON object. */
  async getJson(url: string): Promise<Readonly<Record<string, unknown>>> {
    return this.ask(url, async (client, options) =>
      client.get(url, {
        ...options,
        maxBytes: MAX_KEYS_BYTES,
        sameOrigin: true,
        headers: { accept: ACCEPTED, ...bearer(await this.material.bearerToken()) },
      }),
    );
  }

  /** Sends a token to the introspection endpoint (RFC 7662, section 2). */
  async introspect(url: string, token: string): Promise<Readonly<Record<string, unknown>>> {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' });
    return this.ask(url, async (client, options) =>
      client.post(url, form, { ...options, maxBytes: MAX_ANSWER_BYTES, headers: await this.credentials(form) }),
    );
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#fetch?.client[Symbol.asyncDispose]();
  }

  /** Returns the Authorization header: the client credentials if the spec has them, otherwise the provider's token. */
  private async credentials(form: URLSearchParams): Promise<Record<string, string>> {
    const { clientId } = this.spec;
    const secret = await this.material.clientSecret();
    if (clientId === undefined) return bearer(await this.material.bearerToken());
    if (secret !== undefined) return { authorization: basicCredentials(clientId, secret) };
    form.set('client_id', clientId);
    return bearer(await this.material.bearerToken());
  }

  private async ask(
    url: string,
    send: (client: GuardedFetch, options: Pick<GetOptions, 'signal' | 'timeoutMs'>) => Promise<HttpAnswer>,
  ): Promise<Readonly<Record<string, unknown>>> {
    try {
      const client = await this.client();
      const answer = await send(client, { signal: this.#closing.signal, timeoutMs: TIMEOUT_MS });
      if (answer.status !== 200) throw new ProviderUnavailable(`${answer.url} answered ${answer.status}`);
      return parseObject(answer);
    } catch (error) {
      if (error instanceof ProviderUnavailable) throw error;
      if (error instanceof HttpFailure && error.cause instanceof ForbiddenAddress) {
        throw new ProviderMisconfigured(`${error.message} ${ADDRESS_REMEDY}`, { cause: error });
      }
      if (this.#closing.signal.aborted) throw new ProviderUnavailable('shutting down');
      throw new ProviderUnavailable(describe(url, error), { cause: error });
    }
  }

  /**
   * Returns the HTTP client. If the certificate authority has changed, creates a new client and closes the connections
   * of the previous one.
   */
  private async client(): Promise<GuardedFetch> {
    const ca = await this.material.caCertificates();
    // Loaded on first use, because most registries have no provider to contact, and the client is a megabyte of code.
    const { createGuardedFetch } = await import('#http/guarded-fetch.js');
    if (this.#fetch && this.#fetch.ca === ca) return this.#fetch.client;
    const previous = this.#fetch;
    const { version } = this;
    const client = createGuardedFetch({ version, policy: this.#policy, ...(ca !== undefined && { ca }) });
    this.#fetch = { ca, client };
    await previous?.client[Symbol.asyncDispose]();
    return client;
  }
}

const ADDRESS_REMEDY = 'Set allowPrivateIP if the provider belongs there, or correct its URL.';

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function parseObject({ url, body }: HttpAnswer): Readonly<Record<string, unknown>> {
  const value = parseJson(body.toString());
  if (value === undefined) throw new ProviderUnavailable(`${url} returned something that is not JSON`);
  if (isFields(value)) return value;
  throw new ProviderUnavailable(`${url} returned something that is not a JSON object`);
}

function describe(url: string, error: unknown): string {
  if (!(error instanceof HttpFailure)) return `${shownUrl(url)} cannot be requested: ${(error as Error).message}`;
  if (error.status !== 401 && error.status !== 403) return error.message;
  const remedy = 'check authTokenFile and authTokenRef, or for introspection clientId and its secret';
  return `${shownUrl(url)} answered ${error.status}: ${remedy}`;
}
