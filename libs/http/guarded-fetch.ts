import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { formatDuration } from '#domain/go-duration.js';
import { RegistryError } from '#domain/registry-error.js';
import { policyAfter } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import type { BodyHold } from './body-budget.js';
import { errorText } from './error-text.js';
import { createGuardedAgent } from './guarded-agent.js';
import type { GuardedAgent } from './guarded-agent.js';
import { connectionFailure, HttpFailure, shownUrl, statusFailure } from './http-failure.js';
import { orAborted } from '#concurrency/or-aborted.js';
import { ACCEPTED_ENCODINGS, readBody, UnknownEncoding } from './read-body.js';
import { redirectTarget } from './redirect-target.js';
import { parseRetryAfter } from './retry-after.js';

export interface GuardedFetchOptions {
  /** Version of this program, which is sent as `User-Agent: mcp-registry-operator/<version>`. */
  readonly version: string;
  /** The default is `private-allowed`. */
  readonly policy?: AddressPolicy;
  /**
   * Time limit for establishing one connection, including TLS. The default is 10 s. The deadline of the request applies
   * as well.
   */
  readonly connectTimeoutMs?: number;
  /** Certificate authorities (PEM) to trust in addition to the default ones. */
  readonly ca?: string;
  /** Called with the reach of each address before a connection attempt. */
  onAttempt?(reach: AddressReach): void;
}

export interface GetOptions {
  readonly signal: AbortSignal;
  /** Time limit from the first connection to the last byte, including redirects. */
  readonly timeoutMs: number;
  /** Size limit of the body, both compressed and decompressed. */
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether redirects to another origin are rejected. */
  readonly sameOrigin?: boolean;
  /** Strings that are redacted in error messages, such as the credentials in the headers. */
  readonly secrets?: readonly string[];
  /** Accounts for the memory of the body of a successful response. */
  readonly hold?: BodyHold;
  /**
   * Whether only the status and the headers of a successful response are needed. Its body is then returned as empty,
   * whatever was sent.
   */
  readonly withoutBody?: boolean;
  /** The remedy in the message of an error with status 401 or 403. */
  readonly loginRemedy?: string;
  /**
   * The remedy in the message of a certificate error, which says how to add a trusted authority. The default describes
   * the setting of the whole process.
   */
  readonly authorityRemedy?: string;
}

/** A response with status 2xx, 304 or 404. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The URL of the response as messages show it, including redirects. */
  readonly url: string;
}

/** Sends requests to URLs that users provide. Disposing of it closes its connections. */
export interface GuardedFetch extends AsyncDisposable {
  /** Sends a GET request. Throws an HttpFailure, or the abort reason when `signal` aborts. */
  get(url: string, options: GetOptions): Promise<HttpAnswer>;
  /** Posts a form. A redirect is treated as a failure, because the form's content is intended for this URL only. */
  post(url: string, form: URLSearchParams, options: GetOptions): Promise<HttpAnswer>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Status codes that are returned to the caller although they do not mean success. All others are thrown. */
const ANSWERS = new Set([304, 404]);
/** Maximum number of bytes that are read from the body of a failed response. */
const FAILURE_BYTES = 16 * 1024;

interface Hop {
  readonly url: URL;
  /**
   * Headers of the request. The caller's own headers may be secret, so they are dropped on a redirect to another
   * origin.
   */
  readonly headers: Readonly<Record<string, string>>;
  readonly policy: AddressPolicy;
}

export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { version, policy = 'private-allowed', connectTimeoutMs = CONNECT_TIMEOUT_MS, ca } = options;
  const agents = new Map<AddressPolicy, GuardedAgent>();
  const agentFor = (wanted: AddressPolicy) => {
    const agent = agents.get(wanted) ?? createGuardedAgent(wanted, connectTimeoutMs, ca, options.onAttempt);
    agents.set(wanted, agent);
    return agent;
  };

  const send = async (address: string, request: GetOptions, form?: URLSearchParams): Promise<HttpAnswer> => {
    const deadline = AbortSignal.timeout(request.timeoutMs);
    const signal = AbortSignal.any([request.signal, deadline]);
    let awaited = 'did not respond';
    let hop: Hop = { url: new URL(address), headers: request.headers ?? {}, policy };
    try {
      for (let redirects = 0; ; redirects++) {
        const agent = agentFor(hop.policy);
        awaited = 'did not respond';
        const asked = ask(agent, hop, { version, signal, form });
        // A discarded body can fail as well, and an error without a listener would terminate the process.
        asked.then(({ body }) => body.on('error', () => undefined)).catch(() => undefined);
        // undici ignores the signal while it connects.
        const response = await orAborted(asked, signal);
        awaited = 'did not complete its response';
        if (form || !REDIRECTS.has(response.statusCode))
          return await toAnswer(nameOf(address, hop.url), response, request);
        // Closes the connection, because the length of the remaining body is unknown.
        response.body.destroy();
        if (redirects === MAX_REDIRECTS) throw tooManyRedirects(address);
        const next = nextHop(hop, single(response.headers['location']), agent);
        if (request.sameOrigin && next.url.origin !== hop.url.origin) throw leavesOrigin(hop.url, next.url);
        hop = next;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof RegistryError) throw error;
      const url = nameOf(address, hop.url);
      if (deadline.aborted) {
        const message = `${url} ${awaited} within ${formatDuration(request.timeoutMs)}.`;
        throw new HttpFailure('Unreachable', message, 'retry', { cause: error });
      }
      if (error instanceof UnknownEncoding) throw new HttpFailure('InvalidData', `${url} ${error.message}.`, 'wait');
      throw connectionFailure(url, error, request.authorityRemedy);
    }
  };

  return {
    get: (url, request) => send(url, request),
    post: (url, form, request) => send(url, request, form),
    async [Symbol.asyncDispose]() {
      await Promise.all([...agents.values()].map((agent) => agent[Symbol.asyncDispose]()));
    },
  };
}

interface Question {
  readonly version: string;
  readonly signal: AbortSignal;
  readonly form: URLSearchParams | undefined;
}

function ask(
  { dispatcher }: GuardedAgent,
  { url, headers }: Hop,
  { version, signal, form }: Question,
): Promise<Dispatcher.ResponseData> {
  return dispatcher.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: form ? 'POST' : 'GET',
    ...(form && { body: form.toString() }),
    headers: {
      accept: 'application/json',
      'accept-encoding': ACCEPTED_ENCODINGS,
      'user-agent': `mcp-registry-operator/${version}`,
      ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
    signal,
  });
}

/** Returns the URL that the user wrote, followed by the URL that it redirected to, if any. */
function nameOf(address: string, target: URL): string {
  const [asked, answering] = [shownUrl(address), shownUrl(target)];
  return asked === answering ? asked : `${asked}, which redirects to ${answering},`;
}

async function toAnswer(
  url: string,
  response: Dispatcher.ResponseData,
  { maxBytes, hold, withoutBody, secrets, loginRemedy }: GetOptions,
): Promise<HttpAnswer> {
  const { statusCode: status, headers } = response;
  const encoding = single(headers['content-encoding']);
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess && withoutBody) {
    response.body.destroy();
    return { status, headers, url, body: Buffer.alloc(0) };
  }
  if (isSuccess) return { status, headers, url, body: await readBody(response.body, encoding, maxBytes, hold) };
  // The body of a failed response is optional detail, so an error while it is read is ignored.
  const body = await readBody(response.body, encoding, FAILURE_BYTES).catch(() => Buffer.alloc(0));
  if (ANSWERS.has(status)) return { status, headers, url, body };
  const retryAfterMs = parseRetryAfter(single(headers['retry-after']), Date.now());
  throw statusFailure(url, status, { said: errorText(body, secrets), loginRemedy, retryAfterMs });
}

function nextHop({ url, headers, policy }: Hop, location: string | undefined, agent: GuardedAgent): Hop {
  const next = redirectTarget(url, location);
  return {
    url: next,
    headers: next.origin === url.origin ? headers : {},
    policy: policyAfter(policy, agent.reached(url.origin)),
  };
}

function leavesOrigin(from: URL, to: URL): HttpFailure {
  const message = `${shownUrl(from)} redirects to another origin, ${to.origin}, which is not followed: use the final URL.`;
  return new HttpFailure('FetchFailed', message, 'wait');
}

function tooManyRedirects(address: string): HttpFailure {
  const message = `${shownUrl(address)} redirects more than ${MAX_REDIRECTS} times: use the final URL.`;
  return new HttpFailure('FetchFailed', message, 'wait');
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
