import { pathParameter } from '../openapi/operation.js';
import type { Operation, Parameter } from '../openapi/operation.js';
import type { AnswerName } from '../openapi/schemas.js';

/** The path parameter of views. */
export const nameParameter = pathParameter('name', 'Name of the source, or of the registry.');

/** Describes a view, which shows the state of registries, sources or syncs as read from Postgres. */
export function describeView(
  path: string,
  id: string,
  summary: string,
  answer: AnswerName,
  query: readonly Parameter[] = [],
): Operation {
  const isTagged = /^\/v1\/(sources|registries)/.test(path);
  return {
    method: 'get',
    tag: 'Registries and sources',
    path,
    id,
    summary,
    parameters: [...(path.includes('{name}') ? [nameParameter] : []), ...query],
    success: { status: 200, answer },
    ...(isTagged && { isCached: true }),
    problems: [404, 503],
  };
}
