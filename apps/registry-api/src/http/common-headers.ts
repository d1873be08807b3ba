import type { FastifyReply } from 'fastify';

/**
 * Headers of every response, including errors. Browsers and editors such as VS Code with Copilot read this API from
 * pages of any origin.
 */
export const COMMON_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers':
    'ETag, Link, Retry-After, WWW-Authenticate, X-Catalogue-Revision, X-Export-Omitted, X-Export-Stale, X-Registry-Stale, X-Request-Id, X-Total-Count',
  'x-content-type-options': 'nosniff',
} as const;

/** The common headers as alternating names and values. */
export const COMMON_HEADER_LINES: readonly string[] = Object.entries(COMMON_HEADERS).flat();

const PREFLIGHT_HEADERS = {
  'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE, OPTIONS',
  'access-control-allow-headers': 'Authorization, Content-Type, If-None-Match, X-Request-Id',
  'access-control-max-age': '86400',
} as const;

/** Responds to an OPTIONS request. */
export function answerPreflight(reply: FastifyReply): void {
  void reply.code(204).headers(PREFLIGHT_HEADERS).send();
}
