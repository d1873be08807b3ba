import type { FastifyContextConfig, FastifyInstance, HTTPMethods } from 'fastify';
import { Problem } from './problem.js';

/**
 * Answers the methods that a path does not have with 405, where Fastify would say 404, and before a body is read, since it
 * does not matter what that holds. Returns what has to be called once all routes are there.
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
      // The root is a page for people who ask for one; to programs it is a path that does not exist.
      if (url === '/') continue;
      // Answered for every path alike, in a hook: browsers ask before they send.
      methods.add('OPTIONS');
      const allow = Array.from(methods).join(', ');
      server.route({
        url,
        method: server.supportedMethods.filter((method) => !methods.has(method)) as HTTPMethods[],
        // Its errors have the form of the path's own.
        config: configs.get(url) ?? {},
        onRequest: (_request, _reply, done) => done(new Problem(405, `this path answers ${allow} only`, { allow })),
        handler: () => undefined,
      });
    }
  };
}
