import { z } from 'zod';
import { fromOpaque, toOpaque } from './opaque-cursor.js';
import { compareCodePoints } from '#domain/code-point-order.js';

/** Longest text to filter by, in characters: a query is kept in memory with its answer. */
export const MAX_FILTER_TEXT = 256;

/** A text in a cursor is limited as it is in a query, so that a hand-written cursor cannot exceed the limit. */
const shortText = z.string().max(MAX_FILTER_TEXT);

/** What a list leaves out. Everything given must hold. */
const ListFilter = z.strictObject({
  /** Literal text within name, title or description, in any case. */
  search: shortText.exactOptional(),
  /** `latest`, or exactly this version. */
  version: shortText.exactOptional(),
  /** Changed strictly later than this, in milliseconds since 1970. */
  updatedSinceMs: z.number().exactOptional(),
  /** Tombstones too. */
  includeDeleted: z.boolean().exactOptional(),
  /** All of these. */
  tags: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** One of these at least. */
  tagsAny: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** A package or a remote has at least one of these transports. */
  transports: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  registryTypes: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** Its publisher lists one of these tools. */
  tools: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** Its namespace is the reverse of one of these domains, in lower case. */
  publishers: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** It has one of these names. */
  names: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** It has one of these versions. */
  versions: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** One of these texts is in the last part of its name or in its title, whatever the case. */
  displayNames: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  /** Whether it has an identifier of Agentic Resource Discovery. */
  isAddressable: z.literal(true).exactOptional(),
  /** Given by one of these sources, by name. */
  sources: z.array(shortText).max(MAX_FILTER_TEXT).exactOptional(),
  status: z.enum(['active', 'deprecated']).exactOptional(),
  /** Whether it can be reached as a remote, or only so. */
  remote: z.enum(['true', 'false', 'only']).exactOptional(),
  /** Whether there is no way of using it without a secret. */
  needsSecret: z.boolean().exactOptional(),
});

export type ListFilter = z.infer<typeof ListFilter>;

const FILTER_FIELDS = Object.keys(ListFilter.shape) as readonly (keyof ListFilter)[];

/** Returns the canonical form of a filter: equal filters have equal JSON, whatever they were made of. */
export function canonicalFilter(filter: ListFilter): ListFilter {
  const fields = FILTER_FIELDS.map((field): [string, unknown] => {
    const value = filter[field];
    return [field, Array.isArray(value) ? [...new Set(value)].toSorted(compareCodePoints) : value];
  });
  const isRestricting = ([field, value]: [string, unknown]) =>
    value !== undefined &&
    !(Array.isArray(value) && value.length === 0) &&
    !(field === 'includeDeleted' && value === false);
  return Object.fromEntries(fields.filter(isRestricting)) as ListFilter;
}

/**
 * Where a page ends: the name and version of its last entry, which need not exist any more when the next page is asked
 * for. The filter travels along because clients ask for the second page of a search without repeating what they search
 * (VS Code).
 */
const Cursor = z.tuple([z.string(), z.string(), ListFilter]);

export interface Cursor {
  readonly after: { readonly name: string; readonly version: string };
  readonly filter: ListFilter;
}

export function encodeCursor({ after, filter }: Cursor): string {
  return toOpaque([after.name, after.version, filter]);
}

/** Undefined for a text that `encodeCursor` did not make. */
export function decodeCursor(text: string): Cursor | undefined {
  const { data } = Cursor.safeParse(fromOpaque(text));
  return data && { after: { name: data[0], version: data[1] }, filter: data[2] };
}
