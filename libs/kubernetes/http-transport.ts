import { isDeepStrictEqual } from 'node:util';
import { Agent } from 'undici';
import type { Dispatcher } from 'undici';
import type { ClusterAccess, Credentials, TlsOptions } from './cluster-access.js';
import { KubernetesRefusal, KubernetesUnreachable, parseStatus } from './kubernetes-error.js';

/** How long credentials that were read from files are cached. */
const CREDENTIALS_MS = 30_000;
const CONNECT_MS = 10_000;
const ANSWER_MS = 30_000;

/** The size of the connection pool of calls; watches have connections of their own. */
const CALL_CONNECTIONS = 32;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly accept?: string;
  /** The user to act as; the API server demands the right to impersonate it. */
  readonly asUser?: string;
  readonly body?: { readonly contentType: string; readonly value: unknown };
  readonly signal?: AbortSignal;
  /** What the request does, in words; the beginning of an error message. */
  readonly attempt: string;
}

/** Sends requests to the API server over pooled connections. */
export class HttpTransport {
  private credentials: { readonly value: Credentials; readonly readAtMs: number } | undefined;
  private agents: { readonly tls: TlsOptions; readonly calls: Agent; readonly streams: Agent } | undefined;

  constructor(private readonly access: ClusterAccess) {}

  /** Returns the body of the answer, parsed as JSON. */
  async call(request: ApiRequest): Promise<unknown> {
    const { body } = await this.send(request, 'calls', ANSWER_MS);
    return await body.json().catch((error: unknown) => {
      throw new KubernetesUnreachable(request.attempt, error);
    });
  }

  /** Yields the lines of the answer as they arrive; fails when none arrives for `silenceMs`. */
  async *lines(request: ApiRequest, silenceMs: number): AsyncGenerator<string> {
    const { body } = await this.send(request, 'streams', silenceMs);
    try {
      let rest = '';
      for await (const chunk of body.setEncoding('utf8')) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop()!;
        yield* lines;
      }
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new KubernetesUnreachable(request.attempt, error);
    }
  }

  /** Aborts all requests. */
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
      const text = await answer.body.text().catch(() => '');
      // The token may have been rotated a moment ago.
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

  /** Returns new connection pools when the certificates have changed; requests on the old ones are completed. */
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
