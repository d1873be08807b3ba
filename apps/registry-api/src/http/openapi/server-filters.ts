import { queryParameter } from './operation.js';

const flag = { type: 'boolean', default: false };

export const includeDeleted = queryParameter(
  'include_deleted',
  'Includes removed entries, with status `deleted`.',
  flag,
);

/** Query parameters that filter a list of servers. */
export const serverFilters = [
  queryParameter('search', 'Literal string to find in name, title or description; case-insensitive.', {
    type: 'string',
  }),
  queryParameter('version', '`latest`, or one exact version.', { type: 'string' }),
  queryParameter(
    'updated_since',
    'Keeps entries that changed later than this time (RFC 3339 with a zone), removed ones included.',
    {
      type: 'string',
      format: 'date-time',
    },
  ),
  includeDeleted,
  queryParameter('tag', 'Keeps servers with this tag, or with all of several tags separated by commas.', {
    type: 'string',
  }),
  queryParameter('tag_any', 'Keeps servers with at least one of these tags, separated by commas.', { type: 'string' }),
  queryParameter(
    'transport',
    'Keeps servers with a package or remote of this transport (`stdio`, `sse`, `streamable-http`), or of one of several.',
    { type: 'string' },
  ),
  queryParameter(
    'registry_type',
    'Keeps servers with a package from a registry of this type, such as `npm`, or of one of several.',
    {
      type: 'string',
    },
  ),
  queryParameter('source', 'Keeps servers of this source, or of one of several; an unknown source has none.', {
    type: 'string',
  }),
  queryParameter('status', 'Keeps servers with this status.', { type: 'string', enum: ['active', 'deprecated'] }),
  queryParameter('remote', '`true`: servers with a remote; `only`: with remotes alone; `false`: without a remote.', {
    type: 'string',
    enum: ['true', 'false', 'only'],
  }),
  queryParameter('needs_secret', '`false`: servers that can be used without a secret; `true`: servers that cannot.', {
    type: 'boolean',
  }),
];
