import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serversOf } from './catalogue.js';

type Answer = (response: ServerResponse) => unknown;

const HUGE_BYTES = 200 * 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, 0x20);
const DRIP_MS = 200;

/** What a hostile registry sends instead of a list of servers, by name of the fault. */
export const HOSTILE_ANSWERS: Readonly<Record<string, Answer>> = {
  'endless body': (response) => void stream(response, Infinity),
  'slow body': (response) => void drip(response),
  'huge body': (response) => void stream(response, HUGE_BYTES),
  'malformed body': (response) => response.end('{"servers": [{"server": {"name": '),
  'wrong types': (response) => response.end('{"servers": {"0": null}, "metadata": [[[[]]]]}'),
  'endless pages': (response) =>
    response.end(JSON.stringify({ servers: [], metadata: { nextCursor: String(Math.random()) } })),
  'redirect to a private address': (response) =>
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
  'redirect to itself': (response) => response.writeHead(302, { location: response.req.url }).end(),
  'error 500': (response) => response.writeHead(500).end('failure'),
  'reset connection': (response) => response.destroy(),
  silence: () => undefined,
};

/** Registries that implement the generic API, each below its own path. Each of them can turn hostile. */
export class ApiUpstream implements AsyncDisposable {
  readonly #editions = new Map<string, number>();
  readonly #hostile = new Map<string, Answer>();
  /** Responses of hostile registries that are not complete yet. */
  readonly #open = new Map<ServerResponse, string>();
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(): Promise<ApiUpstream> {
    const upstream = new ApiUpstream();
    await once(upstream.#server.listen(0, '127.0.0.1'), 'listening');
    return upstream;
  }

  urlOf(source: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${source}`;
  }

  publish(source: string, edition: number): void {
    this.#editions.set(source, edition);
  }

  /** Makes all requests for a source get this response. If undefined, the registry behaves well again. */
  behave(source: string, answer: Answer | undefined): void {
    if (answer) return void this.#hostile.set(source, answer);
    this.#hostile.delete(source);
    for (const [response, asked] of this.#open) if (asked === source) response.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const source = url.pathname.split('/')[1] ?? '';
    response.setHeader('content-type', 'application/json');
    const hostile = this.#hostile.get(source);
    if (!hostile) return void response.end(this.#list(source, url.searchParams.get('updated_since')));
    this.#open.set(response, source);
    response.on('close', () => this.#open.delete(response));
    hostile(response);
  }

  /** Returns a page with all changes since `since`. */
  #list(source: string, since: string | null): string {
    const edition = this.#editions.get(source) ?? 0;
    const updatedAt = new Date(Date.UTC(2026, 0, 1, 0, 0, edition)).toISOString();
    const official = { status: 'active', updatedAt, publishedAt: '2026-01-01T00:00:00Z' };
    const _meta = { 'io.modelcontextprotocol.registry/official': official };
    const isChanged = since === null || Date.parse(updatedAt) > Date.parse(since);
    const servers = isChanged ? serversOf(source, edition).map((server) => ({ server, _meta })) : [];
    return JSON.stringify({ servers, metadata: { count: servers.length } });
  }
}

/** Sends a list of at least `bytes` bytes, as fast as the client reads them. */
async function stream(response: ServerResponse, bytes: number): Promise<void> {
  response.write('{"servers": [');
  for (let sent = 0; sent < bytes && !response.destroyed; sent += CHUNK.length) {
    if (!response.write(CHUNK)) await Promise.race([once(response, 'drain'), once(response, 'close')]).catch(() => 0);
  }
  response.end(']}');
}

async function drip(response: ServerResponse): Promise<void> {
  response.write('{"servers": [');
  while (!response.destroyed) {
    response.write(' ');
    await sleep(DRIP_MS);
  }
}
