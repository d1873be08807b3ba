import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

export interface UpstreamEntry {
  readonly name: string;
  readonly updatedAt: string;
  readonly status?: 'active' | 'deprecated' | 'deleted';
  readonly description?: string;
}

/** A registry that implements the generic API, serves the entries of the test, and can be made to fail. */
export class UpstreamRegistry {
  entries: UpstreamEntry[] = [];
  readonly asked: string[] = [];
  /** Handles requests instead of the registry if set. Returns whether it did. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  private readonly server: Server;

  /** `pageSize`: maximum number of entries per page, whatever limit is requested. */
  constructor(private readonly pageSize = 10) {
    this.server = createServer((request, response) => {
      this.asked.push(request.url ?? '');
      if (!this.instead?.(request, response)) this.handle(request, response);
    });
  }

  /** Handles a request as the registry, for an `instead` that lets the registry respond later. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.answer(new URL(request.url ?? '/', 'http://localhost'), response);
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private answer(url: URL, response: ServerResponse): void {
    if (!url.pathname.endsWith('/v0.1/servers')) return void response.writeHead(404).end('{"error":"not found"}');
    const since = url.searchParams.get('updated_since');
    const matching = this.entries.filter(({ updatedAt }) => !since || updatedAt > since);
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const limit = Math.min(Number(url.searchParams.get('limit') ?? 30), this.pageSize);
    const page = matching.slice(from, from + limit);
    const metadata = {
      count: page.length,
      ...(from + limit < matching.length ? { nextCursor: String(from + limit) } : {}),
    };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ servers: page.map(toResponse), metadata }));
  }
}

function toResponse({ name, updatedAt, status = 'active', description = 'A server' }: UpstreamEntry): object {
  return {
    server: { name, description, version: '1.0.0' },
    _meta: { 'io.modelcontextprotocol.registry/official': { status, updatedAt, publishedAt: '2026-01-01T00:00:00Z' } },
  };
}

/** Returns the n-th minute of 2026 as a timestamp. */
export const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
export const entries = (count: number): UpstreamEntry[] =>
  Array.from({ length: count }, (_, index) => ({ name: `a/${String(index).padStart(3, '0')}`, updatedAt: at(index) }));
