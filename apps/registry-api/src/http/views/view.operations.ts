import { entryPageParameters, pageParameters, pathParameter, queryParameter } from '../openapi/operation.js';
import type { Operation, Parameter } from '../openapi/operation.js';
import type { AnswerName } from '../openapi/schemas.js';

const name = pathParameter('name', 'Name of the source, or of the registry.');

function view(
  path: string,
  id: string,
  summary: string,
  answer: AnswerName,
  inPages: readonly Parameter[] = [],
): Operation {
  const isTagged = /^\/v1\/(sources|registries)/.test(path);
  const parameters = [...(path.includes('{name}') ? [name] : []), ...inPages];
  return {
    method: 'get',
    tag: 'Registries and sources',
    path,
    id,
    summary,
    parameters,
    success: { status: 200, answer },
    ...(isTagged && { isCached: true }),
    problems: [404, 503],
  };
}

/** The state of the syncs, read from Postgres. */
export const viewOperations: readonly Operation[] = [
  { ...view('/v1/me', 'getMe', 'Says who the caller is', 'Me'), problems: [] },
  view('/v1/registries', 'listRegistries', 'Lists the registry, or those that it is made into', 'RegistryList'),
  view('/v1/registries/{name}', 'getRegistry', 'Gets a registry: its sources, in order of precedence', 'Registry'),
  view(
    '/v1/registries/{name}/entries',
    'listRegistryEntries',
    'Lists what the sources of a registry serve, shadowed or not',
    'RegistryEntryList',
    entryPageParameters,
  ),
  view('/v1/registries/{name}/explain', 'explainName', 'Says of a name why it is served, or why not', 'Explanation', [
    { ...queryParameter('name', 'Name of a server, whole.', { type: 'string' }), required: true },
    queryParameter('version', 'Only this version.', { type: 'string' }),
  ]),
  {
    method: 'post',
    tag: 'Registries and sources',
    path: '/v1/registries/{name}/preview',
    id: 'previewSpec',
    summary: 'Says what an edit of the spec would add to the lists and remove from them, and changes nothing',
    parameters: [name],
    body: {
      type: 'object',
      description: 'The `spec` of an MCPRegistry, or a whole one; as YAML as well, up to 8,192 characters.',
    },
    success: { status: 200, answer: 'Preview' },
    problems: [404, 415, 422, 503],
  },
  view('/v1/sources', 'listSources', 'Lists the sources and how their syncs go', 'SourceList'),
  view('/v1/sources/{name}', 'getSource', 'Gets one source and how its syncs go', 'Source'),
  view(
    '/v1/sources/{name}/entries',
    'listEntries',
    'Lists all that a source holds, hidden or not',
    'EntryList',
    entryPageParameters,
  ),
  view(
    '/v1/sources/{name}/runs',
    'listRuns',
    'Lists the sync runs of a source, newest first',
    'SyncRunList',
    pageParameters,
  ),
  view(
    '/v1/sources/{name}/quarantine',
    'listQuarantine',
    'Lists entries that cannot be served, and why',
    'QuarantineList',
    pageParameters,
  ),
  view('/extension/v0/registries', 'listSourceRegistries', 'Lists the sources, as registries', 'SourceRegistryList'),
  view('/extension/v0/registries/{name}', 'getSourceRegistry', 'Gets one source, as a registry', 'Source'),
];
