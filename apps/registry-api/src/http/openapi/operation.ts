import type { AnswerName } from './schemas.js';

/** What answers say in their heads. */
export const ANSWER_HEADERS = {
  'X-Request-Id': 'By which the log names the request.',
  ETag: 'Of this very answer; send it as `If-None-Match`.',
  'Last-Modified': 'When what the answer is made of last changed.',
  'X-Total-Count': 'How many there are on all pages.',
  'X-Catalogue-Revision': 'Rises with each change of a source of the registry.',
  'X-Export-Omitted': 'How many servers have no text in the file.',
  'X-Export-Stale': 'Of which revision the file is, where the present one cannot be rendered.',
  'X-Registry-Stale': 'Since when the answer may be out of date; absent: it is not.',
  'WWW-Authenticate': 'Which token is wanted, and who says where to get it (RFC 6750, RFC 9728).',
  'Retry-After': 'In how many seconds to try again.',
} as const;

/** One endpoint as the document shows it: written beside its controller, in the words of OpenAPI 3.1. */
export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'delete' | 'patch';
  /** With parameters as `{name}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly tag: 'Servers' | 'Registries and sources' | 'Publishing' | 'Exports' | 'Discovery' | 'Operations';
  readonly parameters?: readonly Parameter[];
  readonly body?: object;
  readonly success: {
    readonly status: 200 | 201 | 202 | 204;
    readonly answer?: AnswerName;
    /** Types of an answer that is a file. */
    readonly media?: readonly string[];
    readonly description?: string;
    /** Headers of the answer, beside those that every answer has. */
    readonly headers?: readonly (keyof typeof ANSWER_HEADERS)[];
  };
  /** Its answers have an ETag, by which a client may ask whether there is another one by now. */
  readonly isCached?: true;
  /** The schema of its problems; that of the whole API when absent. */
  readonly problemAnswer?: AnswerName;
  /** Problems beside those that every operation may answer with. */
  readonly problems?: readonly (401 | 404 | 409 | 415 | 422 | 503)[];
  /** Answers without a login, whatever the registry's mode. */
  readonly isPublic?: true;
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

/** The example shows that the slash is part of the value, which tools that make requests from the document rely on. */
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

const cursorParameter = queryParameter('cursor', '`metadata.nextCursor` of the page before, as it stands.', {
  type: 'string',
  pattern: '^[A-Za-z0-9_-]*$',
});

/** Query parameters of lists that are always given in pages. */
export const pageParameters = [
  queryParameter('limit', 'Items per page; more than 1000 are taken for 1000.', {
    type: 'integer',
    minimum: 1,
    default: 30,
  }),
  cursorParameter,
];

/** Query parameters of lists that clients may expect without pages. */
export const entryPageParameters = [
  queryParameter('limit', 'Items per page, at most 1000; without this and `cursor` 1000, with `cursor` alone 30.', {
    type: 'integer',
    minimum: 1,
  }),
  cursorParameter,
];
