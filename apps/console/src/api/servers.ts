import { findIcon } from '../text/links.js';
import { cutText } from '../text/hidden-characters.js';
import type { FacetName, Search } from '../route.js';
import { officialMeta, waysOf } from './server-document.js';
import type { OfficialMeta, ServerEntry, Ways } from './server-document.js';

/** The reverse-DNS name under which the extensions of this API stand. */
const OWN = 'io.github.mcp-registry-operator';

export interface ServerPage {
  readonly servers: readonly ServerEntry[];
  readonly metadata: { readonly count: number; readonly nextCursor?: string };
}

/** What a line of the list shows: no more of an entry stays in memory. */
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

/** The parameter of the API that each group becomes. Values of one group are alternatives, groups restrict each other. */
const PARAMETERS: Readonly<Record<FacetName, string>> = {
  source: 'source',
  transport: 'transport',
  registry_type: 'registry_type',
  remote: 'remote',
  needs_secret: 'needs_secret',
  tag: 'tag_any',
  status: 'status',
};

/** Where an API stands: the root of one source, or of the whole registry when undefined. */
export type Scope = string | undefined;

const rootOf = (scope: Scope): string => (scope === undefined ? '' : `registry/${encodeURIComponent(scope)}/`);

/** Groups of which the API takes one value. */
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
  // The API takes up to 256 characters.
  if (text !== '') parameters.set('search', cutText(text, 256));
  for (const [facet, parameter] of Object.entries(PARAMETERS)) {
    const values = chosen[facet as FacetName];
    // The root of a source holds nothing else.
    const isSaid = facet === 'source' && scope !== undefined;
    if (values && !isSaid) parameters.set(parameter, values.join(','));
  }
  return parameters;
}

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

/** How many servers each choice would leave; each group is counted as if nothing of it were chosen. */
export interface Facets {
  readonly total: number;
  readonly facets: Readonly<Partial<Record<FacetName, readonly FacetValue[]>>>;
}
