import type { FastifyInstance, FastifyReply } from 'fastify';

/** On every answer, errors included. Browsers and editors read this API from pages of any origin (VS Code, Copilot). */
export const COMMON_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'ETag, Link, Retry-After, WWW-Authenticate, X-Catalogue-Revision, X-Export-Omitted, X-Export-Stale, X-Registry-Stale, X-Request-Id, X-Total-Count',
  'x-content-type-options': 'nosniff',
} as const;

/** The same as names and values in turn. */
export const COMMON_HEADER_LINES: readonly string[] = Object.entries(COMMON_HEADERS).flat();

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match',
  'access-control-max-age': '86400',
} as const;

/** Answers OPTIONS. */
export function answerPreflight(reply: FastifyReply): void {
  void reply.code(204).headers(PREFLIGHT_HEADERS).send();
}

/** What is sent past Fastify, as the catalogue's answers are, brings them along. */
export function addCommonHeaders(server: FastifyInstance): void {
  server.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers(COMMON_HEADERS);
    done();
  });
}
