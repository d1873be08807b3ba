import { ExploreRequestSchema, SearchRequestSchema } from '#domain/ard/search-request.js';
import { pathParameter, queryParameter, sourceParameter, toBody } from '../openapi/operation.js';
import type { Operation, Parameter } from '../openapi/operation.js';

const listParameters = [
  queryParameter('filter', "A filter such as `type = 'application/mcp-server+json' AND updatedAfter > '2026-01-01'`.", {
    type: 'string',
  }),
  queryParameter('orderBy', 'Lists are sorted by name (code point order).', { type: 'string', enum: ['name'] }),
  queryParameter('pageSize', 'Entries per page; larger values count as 100.', {
    type: 'integer',
    minimum: 1,
    default: 20,
  }),
  queryParameter('pageToken', '`pageToken` of the previous page.', { type: 'string' }),
];

/** Describes Agentic Resource Discovery for the registry and for each source. */
export function ardOperations(): readonly Operation[] {
  return [
    ...operationsBelow('', 'registry', []),
    ...operationsBelow('/registry/{source}', 'source', [sourceParameter]),
  ];
}

function operationsBelow(root: string, idPrefix: string, scope: readonly Parameter[]): readonly Operation[] {
  const shared = { tag: 'Discovery', problemAnswer: 'ArdProblem', problems: [404, 503] } as const;
  const get = { ...shared, method: 'get', isCached: true } as const;
  const post = { ...shared, method: 'post', problems: [404, 415, 503] } as const;
  const manifest = (path: string, id: string): Operation => ({
    ...get,
    path: `${root}/.well-known/${path}`,
    id: `${idPrefix}${id}`,
    summary: 'Describes the registry and, up to 1000, the servers that anyone may read',
    parameters: scope,
    success: { status: 200, answer: 'ArdManifest' },
    isPublic: true,
  });
  return [
    manifest('ard.json', 'Manifest'),
    manifest('ai-catalog.json', 'Catalog'),
    {
      ...post,
      path: `${root}/search`,
      id: `${idPrefix}Search`,
      summary: 'Finds the servers that match a task best',
      parameters: scope,
      body: toBody(SearchRequestSchema),
      success: { status: 200, answer: 'ArdResults', headers: ['X-Registry-Stale'] },
    },
    {
      ...post,
      path: `${root}/explore`,
      id: `${idPrefix}Explore`,
      summary: 'Counts the results of a search by their properties',
      parameters: scope,
      body: toBody(ExploreRequestSchema),
      success: { status: 200, answer: 'ArdFacets', headers: ['X-Registry-Stale'] },
    },
    {
      ...get,
      path: `${root}/agents`,
      id: `${idPrefix}Agents`,
      summary: 'Lists the entries',
      parameters: [...scope, ...listParameters],
      success: { status: 200, answer: 'ArdList' },
    },
    {
      ...get,
      path: `${root}/agents/{identifier}`,
      id: `${idPrefix}Agent`,
      summary: 'Gets the entry with an identifier',
      parameters: [...scope, pathParameter('identifier', 'Identifier such as `urn:air:example.com:server:weather`.')],
      success: { status: 200, answer: 'ArdEntry' },
    },
  ];
}
