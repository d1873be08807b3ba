import { findIcon } from '../text/links.js';
import { cutText } from '../text/hidden-characters.js';
import type { FacetName, Search } from '../route.js';
import { officialMeta, waysOf } from './server-document.js';
import type { OfficialMeta, ServerEntry, Ways } from './server-document.js';

/** The reverse-DNS prefix of this API's extensions. */
const OWN = 'io.github.mcp-registry-operator';

export interface ServerPage {
  readonly servers: readonly ServerEntry[];
  readonly metadata: { readonly count: number; readonly nextCursor?: string };
}

/** The data in a row of the list. The rest of the entry is not kept in memory. */
export interface ServerRow extends Ways, Pick<OfficialMeta, 'status' | 'statusMessage'> {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string;
  readonly version: string;
  readonly icon: string | undefined;
}

const LONGEST_DESCRIPTION = 300;

export function toRow(entry: ServerEntry): ServerRow {
  const { name, title, description, version, icons = [] } = entry.server;
  const { status, statusMessage } = officialMeta(entry);
  return {
    name,
    title,
    description: cutText(description, LONGEST_DESCRIPTION),
    version,
    icon: findIcon(icons),
    status,
    ...(statusMessage !== undefined && { statusMessage: cutText(statusMessage, LONGEST_DESCRIPTION) }),
    ...waysOf(entry.server),
  };
}

/** The query parameter of each filter group. Values of one group are alternatives; groups are combined with AND. */
const PARAMETERS: Readonly<Record<FacetName, string>> = {
  source: 'source',
  transport: 'transport',
  registry_type: 'registry_type',
  remote: 'remote',
  needs_secret: 'needs_secret',
  tag: 'tag_any',
  status: 'status',
};

/** The scope of a request: one source, or the whole registry when undefined. */
export type Scope = string | undefined;

const rootOf = (scope: Scope): string => (scope === undefined ? '' : `registry/${encodeURIComponent(scope)}/`);

/** Groups for which the API accepts only one value. */
export const SINGLE: readonly FacetName[] = ['remote', 'needs_secret', 'status'];

interface PageOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export function listPath(search: Search, page: PageOptions, scope?: Scope): string {
  const parameters = searchParameters(search, scope);
  parameters.set('limit', String(page.limit));
  if (page.cursor !== undefined) parameters.set('cursor', page.cursor);
  return `${rootOf(scope)}v0.1/servers?${parameters}`;
}

export const facetsPath = (search: Search, scope?: Scope): string =>
  `${rootOf(scope)}v0.1/x/${OWN}/facets?${searchParameters(search, scope)}`;

export const versionsPath = (name: string, scope?: Scope): string =>
  `${rootOf(scope)}v0.1/servers/${encodeURIComponent(name)}/versions?include_deleted=true`;

function searchParameters({ text, chosen }: Search, scope: Scope): URLSearchParams {
  const parameters = new URLSearchParams({ version: 'latest' });
  // The API accepts at most 256 characters.
  if (text !== '') parameters.set('search', cutText(text, 256));
  for (const [facet, parameter] of Object.entries(PARAMETERS)) {
    const values = chosen[facet as FacetName];
    // Below the root of a source, the filter by source is redundant.
    const isSaid = facet === 'source' && scope !== undefined;
    if (values && !isSaid) parameters.set(parameter, values.join(','));
  }
  return parameters;
}

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

/** The number of servers that each choice would leave. The counts of a group ignore the choices in that group. */
export interface Facets {
  readonly total: number;
  readonly facets: Readonly<Partial<Record<FacetName, readonly FacetValue[]>>>;
}
