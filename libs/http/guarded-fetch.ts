import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { formatDuration } from '#domain/go-duration.js';
import { RegistryError } from '#domain/registry-error.js';
import { policyAfter } from './address-policy.js';
import type { AddressPolicy, AddressReach } from './address-policy.js';
import { errorText } from './error-text.js';
import { createGuardedAgent } from './guarded-agent.js';
import type { GuardedAgent } from './guarded-agent.js';
import { connectionFailure, HttpFailure, shownUrl, statusFailure } from './http-failure.js';
import { orAborted } from './or-aborted.js';
import { ACCEPTED_ENCODINGS, readBody, UnknownEncoding } from './read-body.js';
import { redirectTarget } from './redirect-target.js';
import { parseRetryAfter } from './retry-after.js';

export interface GuardedFetchOptions {
  /** Version of this program, sent as `User-Agent: mcp-registry-operator/<version>`. */
  readonly version: string;
  /** `private-allowed` when absent. */
  readonly policy?: AddressPolicy;
  /** Time limit of opening one connection, TLS included; 10 s when absent. The deadline of the request applies as well. */
  readonly connectTimeoutMs?: number;
  /** Certificate authorities (PEM) to trust beside the usual ones. */
  readonly ca?: string;
  /** Called with the reach of each address before it is tried. */
  onAttempt?(reach: AddressReach): void;
}

export interface GetOptions {
  readonly signal: AbortSignal;
  /** From the first connection to the last byte, redirects included. */
  readonly timeoutMs: number;
  /** Size limit of the body, both compressed and decompressed. */
  readonly maxBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Refuses redirects to another origin. */
  readonly sameOrigin?: boolean;
  /** Texts that a failure must not repeat, such as the credentials in the headers. */
  readonly secrets?: readonly string[];
  /** What a failure with status 401 or 403 says to do. */
  readonly loginRemedy?: string;
}

/** An answer with status 2xx, 304 or 404. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Where it came from, as messages show it, redirects included. */
  readonly url: string;
}

/** Requests to addresses that users name. Its connections are closed when it is disposed of. */
export interface GuardedFetch extends AsyncDisposable {
  /** Throws an HttpFailure, or the abort reason when `signal` fires. */
  get(url: string, options: GetOptions): Promise<HttpAnswer>;
  /** Posts a form. A redirect is a failure: what the form holds is meant for this address only. */
  post(url: string, form: URLSearchParams, options: GetOptions): Promise<HttpAnswer>;
}

const CONNECT_TIMEOUT_MS = 10_000;
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** For the caller to judge. */
const ANSWERS = new Set([304, 404]);
/** Size limit of the body of a failure; no more of it is read. */
const FAILURE_BYTES = 16 * 1024;

interface Hop {
  readonly url: URL;
  /** Without the caller's own once another server is asked: they may be meant for the first one's eyes only. */
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
    let awaited = 'sent no answer';
    let hop: Hop = { url: new URL(address), headers: request.headers ?? {}, policy };
    try {
      for (let redirects = 0; ; redirects++) {
        const agent = agentFor(hop.policy);
        awaited = 'sent no answer';
        const asked = ask(agent, hop, { version, signal, form });
        // A body that is thrown away fails too, and an error without a listener would end the process.
        asked.then(({ body }) => body.on('error', () => undefined)).catch(() => undefined);
        // While it connects, undici does not heed the signal.
        const response = await orAborted(asked, signal);
        awaited = 'did not come to the end of its answer';
        if (form || !REDIRECTS.has(response.statusCode))
          return await toAnswer(nameOf(address, hop.url), response, request);
        // Closes the connection: the length of the rest is unknown.
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
      throw connectionFailure(url, error);
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

/** Names the address that the user wrote, and where it has led to. */
function nameOf(address: string, target: URL): string {
  const [asked, answering] = [shownUrl(address), shownUrl(target)];
  return asked === answering ? asked : `${asked}, which redirects to ${answering},`;
}

async function toAnswer(
  url: string,
  response: Dispatcher.ResponseData,
  { maxBytes, secrets, loginRemedy }: GetOptions,
): Promise<HttpAnswer> {
  const { statusCode: status, headers } = response;
  const encoding = single(headers['content-encoding']);
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess) return { status, headers, url, body: await readBody(response.body, encoding, maxBytes) };
  // What it says of a failure is welcome, but the failure counts.
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
  const message = `${shownUrl(from)} redirects to another origin, ${to.origin}, which is not followed: give the address that answers itself.`;
  return new HttpFailure('FetchFailed', message, 'wait');
}

function tooManyRedirects(address: string): HttpFailure {
  const message = `${shownUrl(address)} redirects more than ${MAX_REDIRECTS} times: give the address that answers itself.`;
  return new HttpFailure('FetchFailed', message, 'wait');
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
