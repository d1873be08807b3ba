import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DurationSeries } from '#observability/metrics.js';
import type { ServerMetrics } from '../server-metrics.js';

const STARTED = Symbol('when a request came, and where it went');

interface Started {
  readonly at: number;
  readonly route: Route;
}

/** What is known of a route: its series by method and status, found without a text being made for them. */
interface Route {
  readonly url: string;
  readonly series: Map<string, DurationSeries[]>;
}

type CountedResponse = ServerResponse & { [STARTED]?: Started };

/** Counts and times each request that it is told of, those that end before their answer does included. */
export function requestCounter(metrics: ServerMetrics): (request: FastifyRequest, reply: FastifyReply) => void {
  const routes = new Map<string, Route>();

  function routeOf(url: string): Route {
    let route = routes.get(url);
    if (!route) routes.set(url, (route = { url, series: new Map() }));
    return route;
  }

  function seriesOf({ url, series }: Route, method: string, status: number): DurationSeries {
    let byStatus = series.get(method);
    if (!byStatus) series.set(method, (byStatus = []));
    return (byStatus[status] ??= metrics.requests.with({ method, route: url, status_code: String(status) }));
  }

  function end(this: CountedResponse): void {
    const { at, route } = this[STARTED] as Started;
    seriesOf(route, this.req.method ?? '', this.statusCode).observe((performance.now() - at) / 1000);
    metrics.activeRequests--;
  }

  return (request, reply) => {
    const raw: CountedResponse = reply.raw;
    // As it is routed, not as it was asked for: that anyone could make up.
    raw[STARTED] = { at: performance.now(), route: routeOf(request.routeOptions.url ?? 'none') };
    raw.on('close', end);
    metrics.activeRequests++;
  };
}
