import { z } from 'zod';
import { ExploreRequestSchema, SearchRequestSchema } from '#domain/ard/search-request.js';
import { pathParameter, queryParameter } from '../openapi/operation.js';
import type { Operation } from '../openapi/operation.js';

const toBody = (schema: z.ZodType): object => {
  const { $schema: _, ...body } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return body;
};

const search = toBody(SearchRequestSchema);
const explore = toBody(ExploreRequestSchema);

const listParameters = [
  queryParameter('filter', "As in `type = 'application/mcp-server+json' AND updatedAfter > '2026-01-01'`.", {
    type: 'string',
  }),
  queryParameter('orderBy', 'Lists are in text order of the name.', { type: 'string', enum: ['name'] }),
  queryParameter('pageSize', 'Entries per page; more than 100 are taken for 100.', {
    type: 'integer',
    minimum: 1,
    default: 20,
  }),
  queryParameter('pageToken', '`pageToken` of the page before.', { type: 'string' }),
];

/** Agentic Resource Discovery below one base. */
export function ardOperations(root: string, idPrefix: string): readonly Operation[] {
  const scope = root === '' ? [] : [pathParameter('source', 'Name of a source.')];
  const shared = { tag: 'Discovery', problemAnswer: 'ArdProblem', problems: [404, 503] } as const;
  const get = { ...shared, method: 'get', isCached: true } as const;
  const post = { ...shared, method: 'post', problems: [404, 415, 503] } as const;
  const manifest = (path: string, id: string): Operation => ({
    ...get,
    path: `${root}/.well-known/${path}`,
    id: `${idPrefix}${id}`,
    summary: 'Describes the registry and, up to 1000, the servers that everybody may read',
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
      summary: 'Finds the servers that fit a task best',
      parameters: scope,
      body: search,
      success: { status: 200, answer: 'ArdResults', headers: ['X-Registry-Stale'] },
    },
    {
      ...post,
      path: `${root}/explore`,
      id: `${idPrefix}Explore`,
      summary: 'Counts what a search finds by its properties',
      parameters: scope,
      body: explore,
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
      summary: 'Gets the entry of an identifier',
      parameters: [...scope, pathParameter('identifier', 'As in `urn:air:example.com:server:weather`.')],
      success: { status: 200, answer: 'ArdEntry' },
    },
  ];
}
