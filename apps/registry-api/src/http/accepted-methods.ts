import type { FastifyContextConfig, FastifyInstance, HTTPMethods } from 'fastify';
import { Problem } from './problem.js';

/**
 * Responds with 405 to methods that a path does not support, where Fastify would respond with 404. This happens before
 * the body is read, because its content does not matter. Returns a function that must be called after all routes have
 * been registered.
 */
export function refuseOtherMethods(server: FastifyInstance): () => void {
  const methodsByUrl = new Map<string, Set<string>>();
  const configs = new Map<string, FastifyContextConfig>();
  server.addHook('onRoute', ({ url, method, config }) => {
    if (config) configs.set(url, config);
    const methods = methodsByUrl.get(url) ?? new Set();
    methodsByUrl.set(url, methods);
    for (const name of [method].flat()) methods.add(name);
  });
  return () => {
    for (const [url, methods] of Array.from(methodsByUrl)) {
      // The root is a page for browsers. For other clients it does not exist.
      if (url === '/') continue;
      // A hook answers OPTIONS for every path in the same way, because browsers send preflight requests.
      methods.add('OPTIONS');
      const allow = Array.from(methods).join(', ');
      server.route({
        url,
        method: server.supportedMethods.filter((method) => !methods.has(method)) as HTTPMethods[],
        // The error response has the same form as others of this path.
        config: configs.get(url) ?? {},
        onRequest: (_request, _reply, done) => done(new Problem(405, `this path accepts only ${allow}`, { allow })),
        handler: () => undefined,
      });
    }
  };
}
