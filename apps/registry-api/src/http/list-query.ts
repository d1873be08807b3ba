import { z } from 'zod';
import type { ListQuery } from '../catalogue/catalogue-reader.js';
import { decodeCursor } from '../catalogue/cursor.js';
import type { Cursor, ListFilter } from '../catalogue/cursor.js';
import { DEFAULT_LIMIT, decodable, FOREIGN_CURSOR, limit, shortText, text } from './query-fields.js';
import { parseRfc3339 } from './rfc-3339.js';

/** Some clients send parameters that they have no value for. */
const optionalText = shortText.transform((value) => (value === '' ? undefined : value)).optional();

const cursor = text
  .transform((value, context): Cursor | undefined => {
    if (value === '') return undefined;
    const decoded = decodeCursor(value);
    if (!decoded) context.addIssue({ code: 'custom', message: FOREIGN_CURSOR });
    return decoded;
  })
  .optional();

/** A plain + in a query is a space. */
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

const tags = shortText.transform((value) => value.split(',').flatMap((tag) => tag.trim() || [])).optional();

/** Query of the list. Parameters that are given win over those that the cursor carries; the others stay as they were. */
export const ListQuerySchema = decodable.pipe(
  z
    .object({
      cursor,
      limit,
      search: optionalText,
      updated_since: updatedSince,
      version: optionalText,
      include_deleted: flag,
      tag: tags,
      transport: z.enum(['stdio', 'sse', 'streamable-http'], 'must be stdio, sse or streamable-http').optional(),
      registry_type: optionalText,
      remote: z.enum(['true', 'false', 'only'], 'must be true, false or only').optional(),
      needs_secret: flag,
    })
    .transform((given, context): ListQuery => {
      const filter: ListFilter = {
        ...given.cursor?.filter,
        ...(given.search !== undefined && { search: given.search }),
        ...(given.version !== undefined && { version: given.version }),
        ...(given.updated_since !== undefined && { updatedSinceMs: given.updated_since, includeDeleted: true }),
        ...(given.include_deleted !== undefined && { includeDeleted: given.include_deleted }),
        ...(given.tag !== undefined && { tags: given.tag }),
        ...(given.transport !== undefined && { transport: given.transport }),
        ...(given.registry_type !== undefined && { registryType: given.registry_type }),
        ...(given.remote !== undefined && { remote: given.remote }),
        ...(given.needs_secret !== undefined && { needsSecret: given.needs_secret }),
      };
      if (filter.updatedSinceMs !== undefined && !filter.includeDeleted) {
        context.addIssue({
          code: 'custom',
          path: ['include_deleted'],
          message: 'cannot be false beside updated_since: who asks for changes has to learn of removals',
        });
      }
      return {
        ...(given.cursor && { after: given.cursor.after }),
        filter,
        limit: given.limit ?? DEFAULT_LIMIT,
      };
    }),
);

/** Query of one server's versions, and of one version. */
export const ServerQuerySchema = decodable.pipe(
  z.object({ include_deleted: flag }).transform((given) => ({ includeDeleted: given.include_deleted ?? false })),
);
