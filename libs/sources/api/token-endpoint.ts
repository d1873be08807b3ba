import { BoundedMap } from '#domain/bounded-map.js';
import { parseJson } from '#domain/parse-json.js';
import { isFields } from '#domain/fields.js';
import { hash } from 'node:crypto';
import { basicCredentials, formEncoded } from '#http/basic-credentials.js';
import type { GetOptions, GuardedFetch, HttpAnswer } from '#http/guarded-fetch.js';
import { HttpFailure } from '#http/http-failure.js';
import { shown } from './access.js';
import type { Access } from './access.js';

type Client = NonNullable<Access['client']>;

type RequestLimits = Pick<GetOptions, 'signal' | 'timeoutMs' | 'authorityRemedy'>;

interface IssuedToken {
  readonly value: string;
  /** Time of the monotonic clock in milliseconds. */
  readonly usableUntilMs: number;
}

/** Lifetime of a token if the provider does not specify one. */
const DEFAULT_LIFETIME_MS = 5 * 60_000;
const MAX_LIFETIME_MS = 24 * 3600_000;
/**
 * A token is not used in the last tenth of its lifetime, or in its last minute if that is shorter, because requests
 * take time.
 */
const SPARE_SHARE = 0.1;
const MAX_SPARE_MS = 60_000;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_TOKEN_CHARACTERS = 16 * 1024;
const MAX_TOKENS = 1_000;

/** An LRU cache of issued tokens. The key is a hash of the request parameters, including the secret. */
const issued = new BoundedMap<string, IssuedToken>(MAX_TOKENS);

/** Returns a valid token for the client, either a cached or a new one. Throws an HttpFailure or the abort reason. */
export async function obtainToken(
  client: Client,
  address: string,
  fetch: GuardedFetch,
  limits: RequestLimits,
): Promise<string> {
  const key = keyOf(client, address);
  const known = issued.get(key);
  issued.delete(key);
  const token =
    known && performance.now() < known.usableUntilMs ? known : await requestToken(client, address, fetch, limits);
  issued.set(key, token);
  return token.value;
}

/** Forgets a token that the registry has rejected. */
export function forgetToken(client: Client, address: string, token: string): void {
  const key = keyOf(client, address);
  if (issued.get(key)?.value === token) issued.delete(key);
}

function keyOf({ spec, secret }: Client, address: string): string {
  const { clientId, scope, audience, resource } = spec;
  return hash('sha256', JSON.stringify([address, clientId, secret, scope, audience, resource]));
}

/**
 * Requests a token from the token endpoint (RFC 6749, section 4.4). A redirect is treated as a failure, so that the
 * secret is sent to this URL only.
 */
async function requestToken(
  { spec, secret }: Client,
  address: string,
  fetch: GuardedFetch,
  limits: RequestLimits,
): Promise<IssuedToken> {
  const { clientId, clientSecretRef, scope, audience, resource } = spec;
  const authorization = basicCredentials(clientId, secret);
  const wanted = Object.entries({ scope, audience, resource }).filter(
    (given): given is [string, string] => given[1] !== undefined,
  );
  const answer = await fetch.post(address, new URLSearchParams([['grant_type', 'client_credentials'], ...wanted]), {
    ...limits,
    maxBytes: MAX_ANSWER_BYTES,
    headers: { authorization },
    secrets: [secret, formEncoded(secret), authorization, authorization.replace('Basic ', '')],
    loginRemedy: `it rejects the client: check clientId and ${shown(clientSecretRef)}`,
  });
  return toToken(answer);
}

function toToken(answer: HttpAnswer): IssuedToken {
  const refuse = (why: string) =>
    new HttpFailure('AuthFailed', `${answer.url} ${why}: check api.auth.clientCredentials.tokenUrl.`, 'wait');
  if (answer.status !== 200) throw refuse(`answered ${answer.status}, which is not the response of a token endpoint`);
  const { access_token: value, token_type: type = 'Bearer', expires_in: seconds } = parseObject(answer.body);
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value) || value.length > MAX_TOKEN_CHARACTERS) {
    throw refuse('returned no access_token');
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
    throw refuse('returned a token that is not a bearer token');
  return { value, usableUntilMs: performance.now() + usableMs(seconds) };
}

function usableMs(seconds: unknown): number {
  const given = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : DEFAULT_LIFETIME_MS;
  const lifetimeMs = Math.min(given, MAX_LIFETIME_MS);
  return lifetimeMs - Math.min(MAX_SPARE_MS, lifetimeMs * SPARE_SHARE);
}

function parseObject(body: Buffer): Readonly<Record<string, unknown>> {
  const value = parseJson(body.toString());
  return isFields(value) ? value : {};
}
