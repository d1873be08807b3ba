import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DurationSeries } from '#observability/metrics.js';
import type { ServerMetrics } from '../server-metrics.js';

const STARTED = Symbol('when a request came, and where it went');

interface Started {
  readonly at: number;
  readonly route: Route;
  readonly counter: RequestCounter;
}

/** What is known of a route: its series by method and status, found without a text being made for them. */
interface Route {
  readonly url: string;
  readonly series: Map<string, DurationSeries[]>;
}

type CountedResponse = ServerResponse & { [STARTED]?: Started };

/** Counts and times requests by route, method and status. */
export class RequestCounter {
  readonly #metrics: ServerMetrics;
  readonly #routes = new Map<string, Route>();

  constructor(metrics: ServerMetrics) {
    this.#metrics = metrics;
  }

  /** Counts a request as in flight until its answer is sent or its connection is closed. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    const raw: CountedResponse = reply.raw;
    // The pattern of the route, not the requested path, of which clients could invent any number.
    const route = this.#routeOf(request.routeOptions.url ?? 'none');
    raw[STARTED] = { at: performance.now(), route, counter: this };
    raw.on('close', RequestCounter.#onClose);
    this.#metrics.activeRequests++;
  }

  /** One that was answered on the spot, on this route. When its answer has left is not waited for: it has no body. */
  count(route: string, { req, statusCode }: ServerResponse, startedAtMs: number): void {
    this.#observe(this.#routeOf(route), req.method ?? '', statusCode, startedAtMs);
  }

  /** One listener for all requests, that Node calls on the response. */
  static #onClose(this: CountedResponse): void {
    const { at, route, counter } = this[STARTED] as Started;
    counter.#observe(route, this.req.method ?? '', this.statusCode, at);
    counter.#metrics.activeRequests--;
  }

  #observe({ url, series }: Route, method: string, status: number, startedAtMs: number): void {
    let byStatus = series.get(method);
    if (!byStatus) series.set(method, (byStatus = []));
    byStatus[status] ??= this.#metrics.requests.with({ method, route: url, status_code: String(status) });
    byStatus[status].observe((performance.now() - startedAtMs) / 1000);
  }

  #routeOf(url: string): Route {
    let route = this.#routes.get(url);
    if (!route) this.#routes.set(url, (route = { url, series: new Map() }));
    return route;
  }
}
