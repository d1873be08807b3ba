import { publicControllers } from '../index.js';
import { serverOperations } from '../servers.controller.js';
import { isProbe } from '../accepted-types.js';
import { ANSWER_HEADERS, ApiOperations } from './operation.js';
import type { Operation } from './operation.js';
import { answerSchemas } from './schemas.js';

/**
 * Other servers mirror a registry only if its document has this version, and this URL in its description, by which they
 * recognize the generic registry API.
 */
const GENERIC_API_VERSION = '1.0.0';
const GENERIC_API = 'https://github.com/modelcontextprotocol/registry';

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'The request is malformed; the response lists every invalid parameter.',
  401: 'The registry requires a token.',
  403: 'The caller may not do this.',
  404: 'The resource does not exist.',
  406: 'The Accept header excludes JSON.',
  409: 'The resource exists already.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'The body is invalid; the response lists every error.',
  503: 'The data is not loaded yet, or the database is unavailable; retry after `Retry-After` seconds.',
};

/** Every endpoint of a registry, as described by its controller. */
export const operations: readonly Operation[] = publicControllers.flatMap((controller) => {
  const describe = Reflect.getMetadata(ApiOperations.KEY, controller) as (() => readonly Operation[]) | undefined;
  return describe?.() ?? [];
});

/** Returns the OpenAPI document of the whole API. */
export function apiDocument(): object {
  return document(operations);
}

/** Returns the OpenAPI document for mirrors below one API root: the generic part only. */
export function genericDocument(): object {
  return document(serverOperations('/v0.1', 'servers'));
}

function document(listed: readonly Operation[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of listed) (paths[operation.path] ??= {})[operation.method] = toOperationObject(operation);
  return {
    openapi: '3.1.0',
    info: {
      title: 'MCP registry',
      version: GENERIC_API_VERSION,
      description: `A registry of MCP servers. Its part below \`/v0.1\` is the generic registry API (${GENERIC_API}).`,
    },
    // The URL is relative to this document, because a registry may be served below a prefix.
    servers: [{ url: './' }],
    paths,
    components: {
      schemas: answerSchemas(),
      headers: Object.fromEntries(
        Object.entries(ANSWER_HEADERS).map(([name, description]) => [
          name,
          { description, schema: { type: 'string' } },
        ]),
      ),
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function toOperationObject(operation: Operation): object {
  const { method, path, id, summary, tag, parameters, body, success, isCached, problems = [], isPublic } = operation;
  const statuses = new Set([
    400,
    // 503 is included because a token cannot be verified while its provider is unavailable.
    ...(isPublic ? [] : [401, 403, 503]),
    ...(isProbe(path) ? [] : [406]),
    ...(method === 'get' ? [] : [413]),
    ...problems,
  ]);
  return {
    operationId: id,
    summary,
    tags: [tag],
    // The empty requirement is for registries in mode anonymous, which need no token.
    security: isPublic ? [] : [{}, { bearer: [] }],
    ...(parameters?.length && { parameters }),
    ...(body && { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [success.status]: {
        description: success.description ?? 'Done.',
        ...headers([...(isCached ? CACHED : []), ...(success.headers ?? [])]),
        ...(success.answer && json(success.answer)),
        ...(success.media && { content: Object.fromEntries(success.media.map((type) => [type, {}])) }),
      },
      ...(isCached && { 304: { description: 'The response has not changed.', ...headers(CACHED) } }),
      ...Object.fromEntries(Array.from(statuses, (status) => [status, problem(status, operation.problemAnswer)])),
    },
  };
}

const CACHED = ['ETag', 'Last-Modified', 'X-Registry-Stale'] as const;

type HeaderName = keyof typeof ANSWER_HEADERS;

const PROBLEM_HEADERS: Readonly<Record<number, readonly HeaderName[]>> = {
  401: ['WWW-Authenticate'],
  403: ['WWW-Authenticate'],
  503: ['Retry-After'],
};

function problem(status: number, answer = 'Problem'): object {
  return { description: PROBLEMS[status], ...headers(PROBLEM_HEADERS[status] ?? []), ...json(answer) };
}

/** Refers to headers by name, so that each one is described only once. */
function headers(names: readonly HeaderName[]): object {
  const all: readonly HeaderName[] = ['X-Request-Id', ...names];
  return { headers: Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
}

function json(answer: string): object {
  return { content: { 'application/json': { schema: { $ref: `#/components/schemas/${answer}` } } } };
}
