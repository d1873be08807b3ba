import { z } from 'zod';
import type { ListQuery } from '#read-model/catalogue-reader.js';
import { canonicalFilter, decodeCursor, MAX_FILTER_VALUES } from '#read-model/cursor.js';
import type { Cursor, ListFilter } from '#read-model/cursor.js';
import { DEFAULT_LIMIT, decodable, FOREIGN_CURSOR, limit, shortText, text } from './query-fields.js';
import { parseRfc3339 } from './rfc-3339.js';

/** An optional parameter. Some clients send parameters without a value. */
const optionalText = shortText.transform((value) => (value === '' ? undefined : value)).optional();

const cursor = text
  .transform((value, context): Cursor | undefined => {
    if (value === '') return undefined;
    const decoded = decodeCursor(value);
    if (!decoded) context.addIssue({ code: 'custom', message: FOREIGN_CURSOR });
    return decoded;
  })
  .optional();

/** Matches a time zone whose plus sign has become a space, because a plain + in a query means a space. */
const LOST_PLUS = / \d\d:\d\d$/;

const updatedSince = text
  .transform((value, context): number => {
    const milliseconds = parseRfc3339(value);
    if (milliseconds === undefined) {
      const hint = LOST_PLUS.test(value) ? '; in a URL the + of a zone is %2B' : '';
      const message = `must be an RFC 3339 time with a zone, as in 2026-01-31T12:00:00Z${hint}`;
      context.addIssue({ code: 'custom', message });
    }
    return milliseconds ?? 0;
  })
  .optional();

const flag = text
  .regex(/^(true|false|1|0)$/i, 'must be true or false')
  .transform((value) => /^(true|1)$/i.test(value))
  .optional();

const TOO_MANY = `must have at most ${MAX_FILTER_VALUES} values`;

/** A comma-separated list of strings. Surrounding spaces and empty items are ignored. */
const texts = shortText
  .transform((value) => value.split(',').flatMap((item) => item.trim() || []))
  .refine((values) => values.length <= MAX_FILTER_VALUES, TOO_MANY);

const TRANSPORTS = ['stdio', 'sse', 'streamable-http'];

const transports = texts
  .refine(
    (values) => values.length > 0 && values.every((value) => TRANSPORTS.includes(value)),
    'must be stdio, sse or streamable-http, or several of them, separated by commas',
  )
  .optional();

/** The filters of a list: its parameters except `cursor` and `limit`. */
const filterFields = {
  search: optionalText,
  updated_since: updatedSince,
  version: optionalText,
  include_deleted: flag,
  tag: texts.optional(),
  tag_any: texts.transform(orNone).optional(),
  transport: transports,
  registry_type: texts.transform(orNone).optional(),
  source: texts.transform(orNone).optional(),
  status: z.enum(['active', 'deprecated'], 'must be active or deprecated').optional(),
  remote: z.enum(['true', 'false', 'only'], 'must be true, false or only').optional(),
  needs_secret: flag,
};

type FilterFields = z.output<z.ZodObject<typeof filterFields>>;

/** Returns undefined for an empty list, which results from a parameter without a value. */
function orNone(values: string[]): string[] | undefined {
  return values.length > 0 ? values : undefined;
}

/** Merges filters. Given parameters take precedence over those in the cursor. */
function toFilter(given: FilterFields, carried: ListFilter | undefined, context: z.core.$RefinementCtx): ListFilter {
  const filter: ListFilter = {
    ...carried,
    ...(given.search !== undefined && { search: given.search }),
    ...(given.version !== undefined && { version: given.version }),
    ...(given.updated_since !== undefined && { updatedSinceMs: given.updated_since, includeDeleted: true }),
    ...(given.include_deleted !== undefined && { includeDeleted: given.include_deleted }),
    ...(given.tag !== undefined && { tags: given.tag }),
    ...(given.tag_any !== undefined && { tagsAny: given.tag_any }),
    ...(given.transport !== undefined && { transports: given.transport }),
    ...(given.registry_type !== undefined && { registryTypes: given.registry_type }),
    ...(given.source !== undefined && { sources: given.source }),
    ...(given.status !== undefined && { status: given.status }),
    ...(given.remote !== undefined && { remote: given.remote }),
    ...(given.needs_secret !== undefined && { needsSecret: given.needs_secret }),
  };
  if (filter.updatedSinceMs !== undefined && !filter.includeDeleted) {
    context.addIssue({
      code: 'custom',
      path: ['include_deleted'],
      message: 'cannot be false together with updated_since: a client that asks for changes must learn about removals',
    });
  }
  return canonicalFilter(filter);
}

/** Query of the list. Given parameters take precedence over those in the cursor. */
export const ListQuerySchema = decodable.pipe(
  z.object({ cursor, limit, ...filterFields }).transform((given, context): ListQuery => ({
    ...(given.cursor && { after: given.cursor.after }),
    filter: toFilter(given, given.cursor?.filter, context),
    limit: given.limit ?? DEFAULT_LIMIT,
  })),
);

/** Query of an endpoint about a whole list: the parameters of the list except those for paging. */
export const FilterQuerySchema = decodable.pipe(
  z.object(filterFields).transform((given, context): ListFilter => toFilter(given, undefined, context)),
);

/** Query of one server's versions, and of one version. */
export const ServerQuerySchema = decodable.pipe(
  z.object({ include_deleted: flag }).transform((given) => ({ includeDeleted: given.include_deleted ?? false })),
);
