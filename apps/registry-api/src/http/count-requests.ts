import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { DurationSeries } from '#observability/metrics.js';
import type { ServerMetrics } from '../server-metrics.js';

const STARTED = Symbol('when a request came, and where it went');

type CountedResponse = ServerResponse & { [STARTED]?: { readonly at: number; readonly route: string } };

/** Counts and times all requests, those that end before their answer does included. */
export function countRequests(server: FastifyInstance, metrics: ServerMetrics): void {
  /** By what is cheap to look up; there are as many as there are routes and statuses. */
  const known = new Map<string, DurationSeries>();

  function end(this: CountedResponse): void {
    const { at, route } = this[STARTED] as NonNullable<CountedResponse[typeof STARTED]>;
    const { method = '' } = this.req;
    const key = `${this.statusCode} ${method} ${route}`;
    let series = known.get(key);
    if (!series) {
      series = metrics.requests.with({ method, route, status_code: String(this.statusCode) });
      known.set(key, series);
    }
    series.observe((performance.now() - at) / 1000);
    metrics.activeRequests--;
  }

  server.addHook('onRequest', (request, reply, done) => {
    const raw: CountedResponse = reply.raw;
    // As it is routed, not as it was asked for: that anyone could make up.
    raw[STARTED] = { at: performance.now(), route: request.routeOptions.url ?? 'none' };
    raw.on('close', end);
    metrics.activeRequests++;
    done();
  });
}
