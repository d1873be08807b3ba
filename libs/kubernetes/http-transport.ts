import { isDeepStrictEqual } from 'node:util';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import { FairShare } from '#concurrency/fair-share.js';
import { Semaphore } from '#concurrency/semaphore.js';
import { BoundedMap } from '#domain/bounded-map.js';
import type { ClusterAccess, Credentials, TlsOptions } from './cluster-access.js';
import { KubernetesRefusal, KubernetesUnreachable, parseStatus } from './kubernetes-error.js';

/** How long credentials that were read from files are cached, in milliseconds. */
const CREDENTIALS_MS = 30_000;
const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;

/** Size of the connection pool for calls. Watches have their own connections. */
const CALL_CONNECTIONS = 32;
/**
 * Maximum number of these connections for calls about objects of one namespace, so that one team does not delay the
 * others.
 */
const NAMESPACE_CALLS = 8;

/**
 * Maximum bytes of a response or of a watch event. An object takes at most 3 MiB in the API server's storage, and each
 * of these bytes may take six in JSON.
 */
export const ANSWER_BYTES = 32 * 1024 * 1024;

/** A value derived from one version of an object. */
export interface Derivation {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly value: unknown;
}

/** Maximum number of cached derivations, each of which is a digest or a short string. */
const KEPT_DERIVATIONS = 10_000;

/** Maximum bytes of the body of an error response. */
const REFUSAL_BYTES = 1024 * 1024;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly accept?: string;
  /** The user to impersonate. The API server requires the right to do so. */
  readonly asUser?: string;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  readonly signal?: AbortSignal;
  /** Maximum bytes of the response. Default: {@link ANSWER_BYTES}. */
  readonly maxBytes?: number;
  /** A description of what the request does, which starts the error message. */
  readonly attempt: string;
}

/** A response that is larger than requested. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge';
}

/** Sends requests to the API server over pooled connections. */
export class HttpTransport {
  private credentials: { readonly value: Credentials; readonly readAtMs: number } | undefined;
  private agents: { readonly tls: TlsOptions; readonly calls: Agent; readonly streams: Agent } | undefined;

  /** Limits all lists together to one page in memory at a time. */
  readonly pageSlots = new Semaphore(1);
  readonly shares = new FairShare(NAMESPACE_CALLS);
  readonly derivations = new BoundedMap<string, Derivation>(KEPT_DERIVATIONS);

  constructor(private readonly access: ClusterAccess) {}

  /** Returns the body of the response, parsed as JSON. */
  async call(request: ApiRequest): Promise<unknown> {
    return (await this.read(request)).value;
  }

  /**
   * Returns the parsed body of the response and its size in bytes. Throws KubernetesUnreachable, with AnswerTooLarge as
   * its cause if the response is too large.
   */
  async read(request: ApiRequest): Promise<{ readonly value: unknown; readonly bytes: number }> {
    const { body } = await this.send(request, 'calls', ANSWER_MS);
    try {
      const text = await readText(body, request.maxBytes ?? ANSWER_BYTES);
      return { value: JSON.parse(text.toString()), bytes: text.length };
    } catch (error) {
      throw new KubernetesUnreachable(request.attempt, error);
    }
  }

  /** Yields the lines of the response as they arrive. Throws if none arrives for `silenceMs`. */
  async *lines(request: ApiRequest, silenceMs: number): AsyncGenerator<string> {
    const { body } = await this.send(request, 'streams', silenceMs);
    try {
      let rest = '';
      for await (const chunk of body.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        if (rest.length > ANSWER_BYTES) throw new AnswerTooLarge(`an event has more than ${ANSWER_BYTES} bytes`);
        yield* lines;
      }
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new KubernetesUnreachable(request.attempt, error);
    }
  }

  /** Aborts all requests and closes the connections. */
  async close(): Promise<void> {
    const { agents } = this;
    this.agents = undefined;
    await Promise.all([agents?.calls.destroy(), agents?.streams.destroy()]);
  }

  private async send(
    request: ApiRequest,
    purpose: 'calls' | 'streams',
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const { attempt, signal } = request;
    for (let isFirst = true; ; isFirst = false) {
      let answer: Dispatcher.ResponseData;
      try {
        answer = await this.dispatch(request, purpose, bodyTimeout);
      } catch (error) {
        signal?.throwIfAborted();
        throw new KubernetesUnreachable(attempt, error);
      }
      if (answer.statusCode < 300) return answer;
      const text = await readText(answer.body, REFUSAL_BYTES).then(String, () => '');
      // Retried once with new credentials, because the token may just have been rotated.
      if (answer.statusCode === 401 && isFirst && this.credentials) {
        this.credentials = undefined;
        continue;
      }
      throw new KubernetesRefusal(attempt, parseStatus(answer.statusCode, text));
    }
  }

  private async dispatch(
    { method, path, query = {}, accept = 'application/json', asUser, body, signal }: ApiRequest,
    purpose: 'calls' | 'streams',
    bodyTimeout: number,
  ): Promise<Dispatcher.ResponseData> {
    const { headers, tls } = await this.currentCredentials();
    const { server } = this.access;
    const prefix = server.pathname.replace(/\/$/, '');
    return this.agentsFor(tls)[purpose].request({
      origin: server.origin,
      method,
      path: prefix + path,
      query: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)),
      headers: {
        ...headers,
        accept,
        ...(asUser !== undefined && { 'impersonate-user': asUser }),
        ...(body && { 'content-type': body.contentType }),
      },
      body: body === undefined ? null : JSON.stringify(body.value),
      signal: signal ?? null,
      headersTimeout: ANSWER_MS,
      bodyTimeout,
    });
  }

  private async currentCredentials(): Promise<Credentials> {
    const now = performance.now();
    if (!this.credentials || now - this.credentials.readAtMs > CREDENTIALS_MS) {
      this.credentials = { value: await this.access.credentials(), readAtMs: now };
    }
    return this.credentials.value;
  }

  /**
   * Returns the connection pools, and creates new ones if the certificates have changed. Requests on the old pools are
   * completed.
   */
  private agentsFor(tls: TlsOptions): { calls: Agent; streams: Agent } {
    if (!this.agents || !isDeepStrictEqual(this.agents.tls, tls)) {
      for (const agent of [this.agents?.calls, this.agents?.streams]) void agent?.close();
      const connect = { ...tls, timeout: CONNECT_MS };
      this.agents = {
        tls,
        calls: new Agent({ connect, connections: CALL_CONNECTIONS }),
        streams: new Agent({ connect }),
      };
    }
    return this.agents;
  }
}

async function readText(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Throwing out of the loop destroys the body.
    if (bytes > maxBytes) throw new AnswerTooLarge(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
