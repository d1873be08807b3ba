import { noteServerDate } from '../clock.js';
import { session, signOut } from '../session/session.js';
import { words } from '../words.js';
import { noteAnswer, noteCatalogue, noteSilence } from './connection.js';

/** An error response of the API, or the lack of a response. */
export class RequestFault extends Error {
  /** `status` is the HTTP status, or 0 if there was no response. */
  constructor(
    readonly status: number,
    message: string,
    /** Wait that the server asks for (`Retry-After`), limited to between a second and a minute. */
    readonly retryAfterMs?: number,
  ) {
    super(message);
  }

  /** Whether a retry of the same request may succeed. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface Answer<Body> {
  /** Undefined for 304 and for HEAD. */
  readonly body: Body | undefined;
  readonly isUnchanged: boolean;
  readonly etag: string | undefined;
  /** Value of `X-Total-Count`. */
  readonly total: number | undefined;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly signal?: AbortSignal;
  readonly etag?: string | undefined;
}

const LONGEST_MESSAGE = 2000;
/** Path prefix of responses that say whether the catalogue may be out of date. */
const CATALOGUE = 'v0.1/';

/**
 * Requests a path below the page from the API. The token is sent to this origin only: redirects are rejected and no
 * cookie is sent. Throws `RequestFault`, or the abort reason of the signal.
 */
export async function request<Body>(path: string, options: RequestOptions = {}): Promise<Answer<Body>> {
  const response = await send(path, options);
  noteServerDate(response.headers.get('date'));
  noteAnswer(response.status);
  if (path.startsWith(CATALOGUE)) noteCatalogue(response.status, response.headers.get('x-registry-stale'));
  if (response.status === 401 && session.get()) signOut(words.signIn.ended);
  if (response.status !== 304 && !response.ok) throw await toFault(response);
  // Read the empty body, otherwise the browser treats the request as aborted.
  if (options.method === 'HEAD') await response.arrayBuffer();
  const hasBody = response.status !== 304 && response.status !== 204 && options.method !== 'HEAD';
  return {
    body: hasBody ? await readJson<Body>(response) : undefined,
    isUnchanged: response.status === 304,
    etag: response.headers.get('etag') ?? undefined,
    total: toCount(response.headers.get('x-total-count')),
  };
}

/** Requests a body as a string without parsing it, such as an export. */
export async function requestText(path: string, signal: AbortSignal): Promise<string> {
  const response = await send(path, { signal });
  if (!response.ok) throw new RequestFault(response.status, await readMessage(response));
  return response.text();
}

async function send(path: string, { method = 'GET', signal, etag }: RequestOptions): Promise<Response> {
  const token = session.get()?.token;
  try {
    return await fetch(path, {
      method,
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        // A conditional request bypasses the browser's cache.
        ...(etag !== undefined && { 'If-None-Match': etag }),
      },
      ...(signal && { signal }),
    });
  } catch {
    signal?.throwIfAborted();
    noteSilence();
    throw new RequestFault(0, words.connection.noAnswer);
  }
}

async function readJson<Body>(response: Response): Promise<Body> {
  try {
    return (await response.json()) as Body;
  } catch {
    throw new RequestFault(0, words.connection.noJson);
  }
}

async function readMessage(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as { error?: unknown };
    if (typeof error === 'string') return error.slice(0, LONGEST_MESSAGE);
  } catch {
    // The response may come from a proxy, so its body may not be ours.
  }
  return words.connection.status(response.status);
}

async function toFault(response: Response): Promise<RequestFault> {
  const seconds = toCount(response.headers.get('retry-after'));
  const retryAfterMs = seconds === undefined ? undefined : Math.min(60, Math.max(1, seconds)) * 1000;
  return new RequestFault(response.status, await readMessage(response), retryAfterMs);
}

function toCount(header: string | null): number | undefined {
  const count = Number(header ?? Number.NaN);
  return Number.isInteger(count) ? count : undefined;
}
