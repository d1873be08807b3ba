/** The filter groups, by their names in the API. */
export const FACETS = ['source', 'transport', 'registry_type', 'remote', 'needs_secret', 'tag', 'status'] as const;
export type FacetName = (typeof FACETS)[number];

/** The text and the filters of the list of servers. A group without a choice is absent. */
export interface Search {
  readonly text: string;
  readonly chosen: Readonly<Partial<Record<FacetName, readonly string[]>>>;
}

export type Route =
  | { readonly page: 'servers'; readonly search: Search }
  | { readonly page: 'server'; readonly name: string; readonly version?: string }
  | { readonly page: 'sources' }
  | { readonly page: 'source'; readonly name: string }
  | { readonly page: 'help' }
  | { readonly page: 'missing' };

export const EVERYTHING: Search = { text: '', chosen: {} };

/**
 * Parses a fragment such as `#/servers/com.example/weather?version=1.4.0`. An invalid one leads to the page `missing`.
 */
export function parseRoute(fragment: string): Route {
  const [path = '', query = ''] = splitOnce(fragment.replace(/^#?\/?/, ''), '?');
  const [page = '', rest = ''] = splitOnce(path, '/');
  const name = decode(rest);
  if (name === undefined) return { page: 'missing' };
  const parameters = new URLSearchParams(query);
  if (page === '' || (page === 'servers' && name === '')) return { page: 'servers', search: parseSearch(parameters) };
  if (page === 'servers') {
    const version = parameters.get('version');
    return { page: 'server', name, ...(version !== null && { version }) };
  }
  if (page === 'sources') return name === '' ? { page: 'sources' } : { page: 'source', name };
  return page === 'help' && name === '' ? { page: 'help' } : { page: 'missing' };
}

/** Formats a route as a fragment that `parseRoute` understands. */
export function formatRoute(route: Route): string {
  switch (route.page) {
    case 'servers':
      return `#/${toQuery(searchParameters(route.search))}`;
    case 'server':
      return `#/servers/${encode(route.name)}${toQuery(route.version === undefined ? [] : [['version', route.version]])}`;
    case 'source':
      return `#/sources/${encode(route.name)}`;
    case 'missing':
      return '#/missing';
    default:
      return `#/${route.page}`;
  }
}

/** Returns the search with one value of a group toggled. */
export function toggle(search: Search, facet: FacetName, value: string): Search {
  const before = search.chosen[facet] ?? [];
  return choose(search, facet, before.includes(value) ? before.filter((one) => one !== value) : [...before, value]);
}

/** Returns the search with exactly these values chosen in a group. */
export function choose(search: Search, facet: FacetName, values: readonly string[]): Search {
  const { [facet]: _, ...others } = search.chosen;
  return { ...search, chosen: values.length === 0 ? others : { ...others, [facet]: values } };
}

export const countChosen = ({ chosen }: Search): number => Object.values(chosen).flat().length;

function parseSearch(parameters: URLSearchParams): Search {
  const chosen: Partial<Record<FacetName, readonly string[]>> = {};
  for (const facet of FACETS) {
    const values = [...new Set(parameters.getAll(facet))].filter((value) => value !== '');
    if (values.length > 0) chosen[facet] = values;
  }
  return { text: parameters.get('q') ?? '', chosen };
}

function searchParameters({ text, chosen }: Search): [string, string][] {
  const filters = FACETS.flatMap((facet) => (chosen[facet] ?? []).map((value): [string, string] => [facet, value]));
  return text === '' ? filters : [['q', text], ...filters];
}

const toQuery = (parameters: [string, string][]): string =>
  parameters.length === 0 ? '' : `?${new URLSearchParams(parameters)}`;

/** Percent-encodes a name, but leaves slashes readable. */
const encode = (name: string): string => encodeURIComponent(name.toWellFormed()).replaceAll('%2F', '/');

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}
