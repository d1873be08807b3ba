import { toEntryFilter } from './filter-terms.js';
import type { EntryFilter } from './filter-terms.js';

/** Maximum characters of a filter expression. */
export const MAX_EXPRESSION = 1024;
/** Maximum terms of a filter expression. */
const MAX_TERMS = 20;
/** Maximum values of a term. Every entry is compared with each of them. */
const MAX_VALUES = 10;

/** Matches `field = value` or `field > value`, where the value is quoted or contains no spaces. */
const TERM = /\s*([A-Za-z]+)\s*([=>])\s*(?:'([^']*)'|"([^"]*)"|([^\s'"]+))\s*/y;
const AND = /AND(?=\s)/y;

/** Matches a date, or a date-time with its offset (RFC 3339). */
const MOMENT = /^\d{4}-\d{2}-\d{2}(?:[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2}))?$/;

interface Term {
  readonly field: string;
  readonly sign: string;
  readonly values: readonly string[];
}

/** An invalid filter expression. The message says what is allowed. */
export class FilterFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FilterFault';
  }
}

/**
 * Parses the filter expression of a list: `expression = term *("AND" term)`, `term = field ("=" | ">") value`, where
 * commas in a value separate alternatives. Returns undefined if no entry can match. Throws a FilterFault.
 */
export function readAgentsFilter(expression: string): EntryFilter | undefined {
  if (expression.length > MAX_EXPRESSION) throw new FilterFault(`must have at most ${MAX_EXPRESSION} characters`);
  const filter: EntryFilter = {};
  const seen = new Set<string>();
  for (const term of cutTerms(expression)) {
    if (seen.has(term.field)) throw new FilterFault(`names ${term.field} twice: separate its values by commas`);
    seen.add(term.field);
    const restriction = toRestriction(term);
    if (!restriction) return undefined;
    Object.assign(filter, restriction);
  }
  return filter;
}

function cutTerms(expression: string): readonly Term[] {
  const terms: Term[] = [];
  for (let at = 0; ;) {
    TERM.lastIndex = at;
    const found = TERM.exec(expression);
    if (!found) throw new FilterFault(`cannot be read from character ${at + 1}: write ${FORM}`);
    const [whole, field = '', sign = '', single, double, bare] = found;
    terms.push({ field, sign, values: (single ?? double ?? bare ?? '').split(',').map((value) => value.trim()) });
    if (terms.length > MAX_TERMS) throw new FilterFault(`must have at most ${MAX_TERMS} terms`);
    at += whole.length;
    if (at === expression.length) return terms;
    AND.lastIndex = at;
    if (!AND.test(expression)) throw new FilterFault(`cannot be read from character ${at + 1}: join terms with AND`);
    at += 'AND'.length;
  }
}

const FORM = "field = 'value', with type, publisherId, displayName or updatedAfter as the field";

/** The fields that are compared with `=`. */
const EQUAL: ReadonlyMap<string, (values: readonly string[]) => EntryFilter | undefined> = new Map([
  ['type', (values: readonly string[]) => toEntryFilter([['type', values]])],
  ['publisherId', (values: readonly string[]) => toEntryFilter([['publisher', values]])],
  ['displayName', (displayNames: readonly string[]) => ({ displayNames })],
]);

function toRestriction({ field, sign, values }: Term): EntryFilter | undefined {
  if (field === 'updatedAfter') return { updatedSinceMs: toMoment(values.join(',')) };
  const restrict = EQUAL.get(field);
  if (!restrict) throw new FilterFault(`names the field ${field}, which is unknown: write ${FORM}`);
  if (sign !== '=') throw new FilterFault(`compares ${field} with ${sign}: write ${field} = 'value'`);
  if (values.includes('')) throw new FilterFault(`has an empty value of ${field}`);
  if (values.length > MAX_VALUES) throw new FilterFault(`must have at most ${MAX_VALUES} values of ${field}`);
  return restrict(values);
}

/** Converts a date to its midnight in UTC, or a date-time to its instant. */
function toMoment(text: string): number {
  const moment = MOMENT.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(moment)) throw new FilterFault('must have a date or a date-time (RFC 3339) as updatedAfter');
  return moment;
}
