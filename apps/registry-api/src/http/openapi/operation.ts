import { Reflector } from '@nestjs/core';
import { z } from 'zod';
import type { AnswerName } from './schemas.js';

/** The headers of responses, with their descriptions. */
export const ANSWER_HEADERS = {
  'X-Request-Id': 'Id of the request in the log.',
  ETag: 'Entity tag of the response; send it as `If-None-Match`.',
  'Last-Modified': 'Time of the last change of the data in the response.',
  'X-Total-Count': 'Number of items on all pages.',
  'X-Catalogue-Revision': 'Number that rises with each change of a source of the registry.',
  'X-Export-Omitted': 'Number of servers that the file leaves out.',
  'X-Export-Stale': 'Revision of the returned file if the current revision cannot be rendered.',
  'X-Registry-Stale': 'Time since which the response may be out of date; absent if it is up to date.',
  'WWW-Authenticate':
    'The required token, and the URL of the metadata that describes how to get one (RFC 6750, RFC 9728).',
  'Retry-After': 'Seconds to wait before the next attempt.',
} as const;

/** One endpoint of the document, in the terms of OpenAPI 3.1. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete' | 'patch';
  /** The path, with its parameters as `{name}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly tag: 'Servers' | 'Registries and sources' | 'Publishing' | 'Exports' | 'Discovery' | 'Operations';
  readonly parameters?: readonly Parameter[];
  readonly body?: object;
  readonly success: {
    readonly status: 200 | 201 | 202 | 204;
    readonly answer?: AnswerName;
    /** Content types of a response that is a file. */
    readonly media?: readonly string[];
    readonly description?: string;
    /** Headers of the response in addition to those of every response. */
    readonly headers?: readonly (keyof typeof ANSWER_HEADERS)[];
  };
  /** Whether its responses have an ETag, with which a client can revalidate them. */
  readonly isCached?: true;
  /** Name of the schema of its error responses. Default: that of the whole API. */
  readonly problemAnswer?: AnswerName;
  /** Error statuses in addition to those of every operation. */
  readonly problems?: readonly (401 | 404 | 409 | 415 | 422 | 503)[];
  /** Whether it needs no login, whatever the registry's auth mode. */
  readonly isPublic?: true;
}

/**
 * Describes the endpoints of a controller. The server never calls the function, because the document is generated at
 * build time.
 */
export const ApiOperations = Reflector.createDecorator<() => readonly Operation[]>();

/** The API root of an operation. Operation ids start with `name`. */
interface Root {
  readonly path: string;
  readonly name: 'all' | 'registry' | 'source';
  readonly scope: readonly Parameter[];
}

/** Describes operations that exist below each API root. `v0` is an alias of `v0.1` and is not described. */
export function belowEachRoot(describe: (root: Root) => readonly Operation[]): readonly Operation[] {
  return [...describe({ path: '/v0.1', name: 'all', scope: [] }), ...belowEachName('/v0.1', describe)];
}

/** Describes operations that exist for the whole registry and for each source. */
export function belowEachName(suffix: string, describe: (root: Root) => readonly Operation[]): readonly Operation[] {
  return [
    ...describe({ path: `/registry${suffix}`, name: 'registry', scope: [] }),
    ...describe({ path: `/registry/{source}${suffix}`, name: 'source', scope: [sourceParameter] }),
  ];
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: true;
  readonly description: string;
  readonly schema: object;
}

export const pathParameter = (name: string, description: string, schema: object = { type: 'string' }): Parameter => ({
  name,
  in: 'path',
  required: true,
  description,
  schema,
});

export const sourceParameter = pathParameter('source', 'Name of a source.');

/**
 * The path parameter with a server's name. Its example shows that the slash is part of the value, which tools need to
 * know when they create requests from the document.
 */
export const serverNameParameter = pathParameter('serverName', 'Name of the server; its slash as `%2F`.', {
  type: 'string',
  minLength: 3,
  maxLength: 200,
  pattern: '^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$',
  examples: ['io.github.owner/server'],
});

export const queryParameter = (name: string, description: string, schema: object): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
});

const cursorParameter = queryParameter('cursor', '`metadata.nextCursor` of the previous page, unchanged.', {
  type: 'string',
  pattern: '^[A-Za-z0-9_-]*$',
});

/** Query parameters of lists that are always paged. */
export const pageParameters = [
  queryParameter('limit', 'Items per page; larger values count as 1000.', {
    type: 'integer',
    minimum: 1,
    default: 30,
  }),
  cursorParameter,
];

/** Query parameters of lists that clients may expect to be unpaged. */
export const entryPageParameters = [
  queryParameter('limit', 'Items per page, at most 1000; without this and `cursor` 1000, with `cursor` alone 30.', {
    type: 'integer',
    minimum: 1,
  }),
  cursorParameter,
];

/** Returns the JSON schema of a request body. */
export function toBody(schema: z.ZodType): object {
  const { $schema: _, ...body } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return body;
}
