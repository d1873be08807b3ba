import { OWN_NAME } from '#domain/own-name.js';
import { pageParameters, pathParameter, queryParameter, serverNameParameter } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const flag = { type: 'boolean', default: false };

const includeDeleted = queryParameter('include_deleted', 'Removed entries too, with status `deleted`.', flag);

const filters = [
  queryParameter('search', 'Literal text within name, title or description, in any case.', { type: 'string' }),
  queryParameter('version', '`latest`, or exactly this version.', { type: 'string' }),
  queryParameter('updated_since', 'Changed strictly later (RFC 3339 with a zone), removed entries included.', {
    type: 'string',
    format: 'date-time',
  }),
  includeDeleted,
  queryParameter('tag', 'With this tag; several, separated by commas, must all be there.', { type: 'string' }),
  queryParameter('tag_any', 'With one of these tags at least, separated by commas.', { type: 'string' }),
  queryParameter(
    'transport',
    'With a package or a remote of this transport (`stdio`, `sse`, `streamable-http`), or of one of several.',
    { type: 'string' },
  ),
  queryParameter('registry_type', 'With a package from a registry of this type, such as `npm`, or of one of several.', {
    type: 'string',
  }),
  queryParameter('source', 'Given by this source, or by one of several; a name that no source has gives nothing.', {
    type: 'string',
  }),
  queryParameter('status', 'With this status.', { type: 'string', enum: ['active', 'deprecated'] }),
  queryParameter('remote', '`true`: can be reached as a remote; `only`: in no other way; `false`: cannot.', {
    type: 'string',
    enum: ['true', 'false', 'only'],
  }),
  queryParameter('needs_secret', '`false`: one way of using it takes no secret; `true`: none does.', {
    type: 'boolean',
  }),
];

const version = pathParameter('version', 'A version, or `latest`.');

/** The generic registry API below one root, such as `/v0.1` or `/registry/{source}/v0.1`. */
export function serverOperations(root: string, idPrefix: string): readonly Operation[] {
  const scope = root.includes('{source}') ? [pathParameter('source', 'Name of a source.')] : [];
  const shared = { method: 'get', tag: 'Servers', isCached: true } as const;
  return [
    {
      ...shared,
      path: `${root}/servers`,
      id: `${idPrefix}List`,
      summary: 'Lists servers, in text order of name and version',
      parameters: [...scope, ...pageParameters, ...filters],
      success: { status: 200, answer: 'ServerList', headers: ['X-Total-Count'] },
      problems: [404, 503],
    },
    {
      ...shared,
      path: `${root}/servers/{serverName}/versions`,
      id: `${idPrefix}Versions`,
      summary: 'Lists all versions of a server, newest first',
      parameters: [...scope, serverNameParameter, includeDeleted],
      success: { status: 200, answer: 'ServerList' },
      problems: [404, 503],
    },
    {
      ...shared,
      path: `${root}/servers/{serverName}/versions/{version}`,
      id: `${idPrefix}Version`,
      summary: 'Gets one version of a server',
      parameters: [...scope, serverNameParameter, version, includeDeleted],
      success: { status: 200, answer: 'ServerResponse' },
      problems: [404, 503],
    },
  ];
}

/** The extensions of the generic API below one root. */
export function facetOperations(root: string, idPrefix: string): readonly Operation[] {
  const scope = root.includes('{source}') ? [pathParameter('source', 'Name of a source.')] : [];
  return [
    {
      method: 'get',
      tag: 'Servers',
      path: `${root}/x/${OWN_NAME}/facets`,
      id: `${idPrefix}Facets`,
      summary: 'Counts the servers of a list by each facet, as if nothing were chosen of that facet',
      parameters: [...scope, ...filters],
      isCached: true,
      success: { status: 200, answer: 'Facets' },
      problems: [404, 503],
    },
  ];
}
