import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DurationSeries } from '#observability/metrics.js';
import type { ServerMetrics } from '../server-metrics.js';

const STARTED = Symbol('start time and route of a request');

interface Started {
  readonly at: number;
  readonly route: Route;
  readonly counter: RequestCounter;
}

/** A route with its metric series by method and status, so that a series is found without building a key string. */
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

  /** Counts a request as in flight until its response has been sent or its connection is closed. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    const raw: CountedResponse = reply.raw;
    // Use the pattern of the route instead of the requested path, because clients can request any number of different
    // paths.
    const route = this.#routeOf(request.routeOptions.url ?? 'none');
    raw[STARTED] = { at: performance.now(), route, counter: this };
    raw.on('close', RequestCounter.#onClose);
    this.#metrics.activeRequests++;
  }

  /**
   * Counts a request to this route that was answered immediately. The response has no body, so its completion is not
   * awaited.
   */
  count(route: string, { req, statusCode }: ServerResponse, startedAtMs: number): void {
    this.#observe(this.#routeOf(route), req.method ?? '', statusCode, startedAtMs);
  }

  /** A single listener for all requests, which Node calls with the response as `this`. */
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
