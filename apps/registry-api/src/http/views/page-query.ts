import { z } from 'zod';
import type { Page, PageRequest } from '#persistence/page.js';
import type { EntryPlace, RegistryEntryPlace } from '#persistence/read-entries.js';
import type { SyncRunPlace } from '#persistence/read-sync-runs.js';
import { fromOpaque, toOpaque } from '#read-model/opaque-cursor.js';
import { decodable, DEFAULT_LIMIT, FOREIGN_CURSOR, limit, MAX_LIMIT, text } from '../query-fields.js';

/** A string that Postgres can store and compare. JSON can express strings that UTF-8 and Postgres cannot. */
const storable = z.string().refine((value) => value.isWellFormed() && !value.includes('\0'));

const EntryCursor: z.ZodType<EntryPlace> = z.strictObject({ name: storable, version: storable });

const RegistryEntryCursor: z.ZodType<RegistryEntryPlace> = z.strictObject({
  name: storable,
  version: storable,
  position: z.int().min(0).max(100),
});

const SyncRunCursor: z.ZodType<SyncRunPlace> = z.strictObject({
  startedAt: z.iso.datetime().transform((time) => new Date(time)),
  workflowId: storable,
});

// Clients that expect these lists to be unpaged would mistake a short first page for the whole list, so the default
// limit is the maximum.
export const EntryPage = pageQuery(EntryCursor, MAX_LIMIT);
export const RegistryEntryPage = pageQuery(RegistryEntryCursor, MAX_LIMIT);
export const SyncRunPage = pageQuery(SyncRunCursor);
export const QuarantinePage = pageQuery(z.int().min(0));

/**
 * Query of a paged list: `limit` and `cursor`, as for the list of servers. `unasked` is the limit if a request has
 * neither.
 */
function pageQuery<Place>(place: z.ZodType<Place>, unasked = DEFAULT_LIMIT) {
  const cursor = text
    .transform((value, context): Place | undefined => {
      if (value === '') return undefined;
      const { data, success } = place.safeParse(fromOpaque(value));
      if (!success) context.addIssue({ code: 'custom', message: FOREIGN_CURSOR });
      return data;
    })
    .optional();
  return decodable.pipe(
    z.object({ cursor, limit }).transform((given): PageRequest<Place> => ({
      ...(given.cursor !== undefined && { after: given.cursor as Place }),
      limit: given.limit ?? (given.cursor === undefined ? unasked : DEFAULT_LIMIT),
    })),
  );
}

export interface PageMetadata {
  /** Number of items on this page. */
  readonly count: number;
  readonly nextCursor?: string;
}

export function toMetadata({ items, next }: Page<unknown, unknown>): PageMetadata {
  return { count: items.length, ...(next !== undefined && { nextCursor: toOpaque(next) }) };
}
