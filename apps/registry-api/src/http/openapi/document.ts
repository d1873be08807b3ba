import { ardOperations } from '../ard/ard.operations.js';
import { consoleOperations } from '../console/console.operations.js';
import { hookOperations } from '../hooks/hooks.operations.js';
import { officialProbeOperations, probeOperations } from '../operations.operations.js';
import { publishOperations } from '../publish.operations.js';
import { exportOperations } from '../exports.operations.js';
import { facetOperations, serverOperations } from '../servers.operations.js';
import { syncOperations } from '../sync.operations.js';
import { viewOperations } from '../views/view.operations.js';
import { isProbe } from '../accepted-types.js';
import { ANSWER_HEADERS } from './operation.js';
import type { Operation } from './operation.js';
import { answerSchemas } from './schemas.js';

/**
 * Other servers mirror a registry only if its document has this version, and this address in its description: they take
 * it for the generic registry API, which this is.
 */
const GENERIC_API_VERSION = '1.0.0';
const GENERIC_API = 'https://github.com/modelcontextprotocol/registry';

const PROBLEMS: Readonly<Record<number, string>> = {
  400: 'Something in the request is malformed; every such parameter is named.',
  401: 'The registry wants a token.',
  403: 'The caller may not do this.',
  404: 'There is no such thing here.',
  406: 'The request accepts anything but JSON.',
  409: 'It is there already.',
  413: 'The body is too large.',
  415: 'The body is not JSON.',
  422: 'The body is not what it should be; every fault is named.',
  503: 'It is not there yet, or the database is away; try again after `Retry-After` seconds.',
};

/** Every endpoint of a registry. `v0` is another spelling of `v0.1` in all paths. */
export const operations: readonly Operation[] = [
  ...serverOperations('/v0.1', 'allServers'),
  ...serverOperations('/registry/v0.1', 'registryServers'),
  ...serverOperations('/registry/{source}/v0.1', 'sourceServers'),
  ...facetOperations('/v0.1', 'allServers'),
  ...facetOperations('/registry/v0.1', 'registryServers'),
  ...facetOperations('/registry/{source}/v0.1', 'sourceServers'),
  ...exportOperations('/registry', 'registry'),
  ...exportOperations('/registry/{source}', 'source'),
  ...ardOperations('', 'registry'),
  ...ardOperations('/registry/{source}', 'source'),
  ...viewOperations,
  ...syncOperations,
  ...hookOperations,
  ...publishOperations,
  ...consoleOperations,
  ...probeOperations,
  ...officialProbeOperations('/v0.1', 'all'),
  ...officialProbeOperations('/registry/v0.1', 'registry'),
  ...officialProbeOperations('/registry/{source}/v0.1', 'source'),
];

/** The document of the whole API. */
export function apiDocument(): object {
  return document(operations);
}

/** What a mirror finds below one API root: the generic part alone. */
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
    // Relative to this document: a registry may be served below a prefix.
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
    // Without its provider a token cannot be checked.
    ...(isPublic ? [] : [401, 403, 503]),
    ...(isProbe(path) ? [] : [406]),
    ...(method === 'get' ? [] : [413]),
    ...problems,
  ]);
  return {
    operationId: id,
    summary,
    tags: [tag],
    // The empty one: a registry in mode anonymous wants no token.
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
      ...(isCached && { 304: { description: 'The client has this very answer.', ...headers(CACHED) } }),
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

/** Each is described once. */
function headers(names: readonly HeaderName[]): object {
  const all: readonly HeaderName[] = ['X-Request-Id', ...names];
  return { headers: Object.fromEntries(all.map((name) => [name, { $ref: `#/components/headers/${name}` }])) };
}

function json(answer: string): object {
  return { content: { 'application/json': { schema: { $ref: `#/components/schemas/${answer}` } } } };
}
