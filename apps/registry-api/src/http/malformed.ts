import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Problem } from './problem.js';

interface Issue {
  readonly message: string;
  readonly path?: readonly unknown[] | undefined;
}

/** Names every parameter that is wrong, and how. */
export function toMalformed(issues: readonly Issue[]): Problem {
  return new Problem(400, issues.map(({ path = [], message }) => [...path, message].join(' ')).join('; '));
}

const withoutQuery = new WeakMap<z.ZodType, unknown>();

/** The query of a request by its schema, for handlers that parse it only when the answer is not at hand. */
export function parseQuery<Schema extends z.ZodType>(schema: Schema, request: FastifyRequest): z.output<Schema> {
  // Most requests for one server have none.
  const isEmpty = !request.url.includes('?');
  if (isEmpty && withoutQuery.has(schema)) return withoutQuery.get(schema) as z.output<Schema>;
  const { data, error } = schema.safeParse(request.query);
  if (error) throw toMalformed(error.issues);
  if (isEmpty) withoutQuery.set(schema, data);
  return data as z.output<Schema>;
}
