import type { FastifyRequest } from 'fastify';
import { explainIssue } from '#domain/zod-wording.js';
import { z } from 'zod';
import { Problem } from './problem.js';

// Nest's pipe offers no option for it: a schema without its own message otherwise responds in the words of zod.
z.config({ customError: explainIssue });

interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[] | undefined;
}

/** Reports every invalid parameter with its error. */
export function toMalformed(issues: readonly Issue[]): Problem {
  return new Problem(400, issues.map(({ path = [], message }) => [...path, message].join(' ')).join('; '));
}

const withoutQuery = new WeakMap<z.ZodType, unknown>();

/** Parses the query of a request, for handlers that do so only if the answer is not cached. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, request: FastifyRequest): z.output<Schema> {
  // Most requests for a single server have no query.
  const isEmpty = !request.url.includes('?');
  if (isEmpty && withoutQuery.has(schema)) return withoutQuery.get(schema) as z.output<Schema>;
  const { data, error } = schema.safeParse(request.query);
  if (error) throw toMalformed(error.issues);
  if (isEmpty) withoutQuery.set(schema, data);
  return data as z.output<Schema>;
}
