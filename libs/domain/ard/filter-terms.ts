import { SERVER_TYPES } from './ard-entry.js';
import { readIdentifier } from './identifier.js';

/** The restrictions of an ARD filter, in the terms of the read model. Each list contains alternatives. */
export interface EntryFilter {
  readonly tagsAny?: readonly string[];
  readonly tools?: readonly string[];
  readonly publishers?: readonly string[];
  readonly versions?: readonly string[];
  readonly names?: readonly string[];
  readonly transports?: readonly string[];
  readonly registryTypes?: readonly string[];
  readonly sources?: readonly string[];
  readonly displayNames?: readonly string[];
  readonly status?: 'active' | 'deprecated';
  readonly remote?: 'true' | 'false';
  readonly updatedSinceMs?: number;
}

/** Restricts entries to the values of one term; returns undefined if no entry can have any of them. */
type Restriction = (values: readonly string[]) => EntryFilter | undefined;

/** A term for which every entry has exactly one of two values. */
const either =
  <Value extends string>(values: readonly [Value, Value], restrict: (value: Value) => EntryFilter): Restriction =>
  (asked) => {
    const [value, ...others] = values.filter((each) => asked.includes(each));
    if (value === undefined) return undefined;
    return others.length > 0 ? {} : restrict(value);
  };

/**
 * Splits the values of a filter at commas, because entries show them joined by commas and clients may filter by what is
 * shown.
 */
const apart = (values: readonly string[]): string[] => [...new Set(values.flatMap((value) => value.split(',')))];

/** The terms of a filter. */
const TERMS: ReadonlyMap<string, Restriction> = new Map<string, Restriction>([
  ['type', (values) => (values.some((value) => SERVER_TYPES.has(value)) ? {} : undefined)],
  ['tags', (tagsAny) => ({ tagsAny })],
  ['capabilities', (tools) => ({ tools })],
  ['publisher', (values) => ({ publishers: values.map((value) => value.toLowerCase()) })],
  ['version', (versions) => ({ versions })],
  ['identifier', byIdentifier],
  ['metadata.status', either(['active', 'deprecated'], (status) => ({ status }))],
  ['metadata.remote', either(['true', 'false'], (remote) => ({ remote }))],
  ['metadata.transports', (values) => ({ transports: apart(values) })],
  ['metadata.packageTypes', (values) => ({ registryTypes: apart(values) })],
  ['metadata.source', (sources) => ({ sources })],
]);

/** The terms whose values can be counted. */
export const FACET_FIELDS: readonly string[] = [...TERMS.keys()].filter((term) => term !== 'identifier');

/** A term of the standard that no entry here has, so it matches nothing. */
const TRUST = /^trustManifest(\.|$)/;

/** Returns the error of a term; undefined if it is allowed. */
export function termFault(term: string): string | undefined {
  if (TERMS.has(term) || TRUST.test(term)) return undefined;
  return `is not a term that entries can be filtered by: use ${[...TERMS.keys()].join(', ')}`;
}

/** Returns the combined restrictions of all terms; undefined if no entry can match. */
export function toEntryFilter(terms: readonly (readonly [string, readonly string[]])[]): EntryFilter | undefined {
  const filter: EntryFilter = {};
  for (const [term, values] of terms) {
    const restriction = TERMS.get(term)?.(values);
    if (!restriction) return undefined;
    Object.assign(filter, restriction);
  }
  return filter;
}

function byIdentifier(values: readonly string[]): EntryFilter | undefined {
  const names = values.flatMap((value) => {
    const read = readIdentifier(value);
    return read.kind === 'server' ? [read.name] : [];
  });
  return names.length > 0 ? { names } : undefined;
}
