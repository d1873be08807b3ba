import { z } from 'zod';
import { fromOpaque, toOpaque } from './opaque-cursor.js';
import { compareCodePoints } from '#domain/code-point-order.js';

/**
 * Maximum length of a filter string in characters. It is limited because a query is kept in memory with its response.
 */
export const MAX_FILTER_TEXT = 256;

/** Maximum number of values of a filter. Each one costs time for each entry. */
export const MAX_FILTER_VALUES = 50;

/** A string in a cursor has the same limit as in a query, so that a hand-written cursor cannot exceed it. */
const shortText = z.string().max(MAX_FILTER_TEXT);
const shortTexts = z.array(shortText).max(MAX_FILTER_VALUES);

/** The filter of a list. An entry must pass all given conditions. */
const ListFilter = z.strictObject({
  /** Literal substring of the name, title or description, case-insensitive. */
  search: shortText.exactOptional(),
  /** `latest`, or an exact version. */
  version: shortText.exactOptional(),
  /** Only entries that changed strictly after this time, in milliseconds since 1970. */
  updatedSinceMs: z.number().exactOptional(),
  /** Whether tombstones are included. */
  includeDeleted: z.boolean().exactOptional(),
  /** The entry must have all of these tags. */
  tags: shortTexts.exactOptional(),
  /** The entry must have at least one of these tags. */
  tagsAny: shortTexts.exactOptional(),
  /** A package or remote of the entry must have at least one of these transports. */
  transports: shortTexts.exactOptional(),
  registryTypes: shortTexts.exactOptional(),
  /** The publisher must list at least one of these tools. */
  tools: shortTexts.exactOptional(),
  /** The namespace of the entry must be the reverse of one of these domains, in lowercase. */
  publishers: shortTexts.exactOptional(),
  /** The entry must have one of these names. */
  names: shortTexts.exactOptional(),
  /** The entry must have one of these versions. */
  versions: shortTexts.exactOptional(),
  /** The last part of the entry's name or its title must contain one of these strings, case-insensitive. */
  displayNames: shortTexts.exactOptional(),
  /** Only entries that have an identifier of Agentic Resource Discovery. */
  isAddressable: z.literal(true).exactOptional(),
  /** The entry must come from one of these sources, given by name. */
  sources: shortTexts.exactOptional(),
  status: z.enum(['active', 'deprecated']).exactOptional(),
  /** Whether the server can be reached as a remote. `only`: it has no other launch option. */
  remote: z.enum(['true', 'false', 'only']).exactOptional(),
  /** Whether every way to use the server requires a secret. */
  needsSecret: z.boolean().exactOptional(),
});

export type ListFilter = z.infer<typeof ListFilter>;

const FILTER_FIELDS = Object.keys(ListFilter.shape) as readonly (keyof ListFilter)[];

/** Returns the canonical form of a filter. Equivalent filters have equal JSON. */
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

/** The part of a filter that the parameters of a list can express. Only these lists have cursors. */
const PagedFilter = ListFilter.omit({
  tools: true,
  publishers: true,
  names: true,
  versions: true,
  displayNames: true,
  isAddressable: true,
});

/**
 * The end of a page: the name and version of its last entry, which may no longer exist when the next page is requested.
 * The filter is included because some clients (VS Code) request the second page of a search without repeating the
 * search text.
 */
const Cursor = z.tuple([z.string(), z.string(), PagedFilter]);

export interface Cursor {
  readonly after: { readonly name: string; readonly version: string };
  readonly filter: ListFilter;
}

export function encodeCursor({ after, filter }: Cursor): string {
  return toOpaque([after.name, after.version, filter]);
}

/** Decodes a cursor. Returns undefined for a string that `encodeCursor` did not create. */
export function decodeCursor(text: string): Cursor | undefined {
  const { data } = Cursor.safeParse(fromOpaque(text));
  return data && { after: { name: data[0], version: data[1] }, filter: data[2] };
}
