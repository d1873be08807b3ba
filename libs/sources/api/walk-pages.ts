import { RegistryError } from '#domain/registry-error.js';
import type { HttpAnswer } from '#http/guarded-fetch.js';
import { HttpFailure } from '#http/http-failure.js';
import { API_LIMITS, ApiClient } from './api-client.js';
import type { ApiContext } from './api-client.js';
import { isAfter } from './instant.js';
import { LoopGuard } from './loop-guard.js';
import { readPage } from './read-page.js';
import type { ServerList } from './read-page.js';
import type { ApiItem } from './read-server-response.js';

export interface ApiPage {
  /** In the order of the registry; entries that an earlier page of this walk gave are left out. */
  readonly items: readonly ApiItem[];
  /** What continues after this page; absent on the last one. */
  readonly nextCursor?: string;
  /** Of the answer, unpacked. */
  readonly bytes: number;
  /** The entity tag of a page that is the whole list: what `probe` can ask with. */
  readonly etag?: string;
  /** The latest `updatedAt` on this page, as `updatedSince` takes it. */
  readonly latestUpdate?: string;
}

export interface WalkOptions {
  /** `nextCursor` of the last page that was stored. */
  readonly cursor?: string;
  /** RFC 3339: only entries that changed later, with `cursor` the same as before. A registry may ignore it and give all. */
  readonly updatedSince?: string;
}

/** The registry does not take the stored cursor any more: forget what was stored of the walk and begin a new one. */
export class CursorRefused extends RegistryError {
  constructor(cause: HttpFailure) {
    super('FetchFailed', `${cause.message} The walk has to begin anew.`, 'retry', { cause });
  }
}

/** What the official registry gives at most; others give more or less. */
const PAGE_SIZE = 100;

/** How registries refuse a parameter. */
const REFUSALS = new Set([400, 410, 422]);

/**
 * Gives the list page by page, tombstones included where the registry has them. No entries at all is no error here.
 * Throws a RegistryError, or the abort reason.
 */
export async function* walkPages(
  endpoint: string,
  timeoutMs: number,
  { cursor: start, updatedSince }: WalkOptions,
  context: ApiContext,
): AsyncGenerator<ApiPage> {
  const guard = new LoopGuard(start, { ...API_LIMITS, ...context.settings.limits });
  const given = new Set<string>();
  await using client = new ApiClient(endpoint, timeoutMs, context);
  for (let page = 1, cursor = start; page === 1 || cursor !== undefined; page++) {
    const query = { limit: String(PAGE_SIZE), include_deleted: 'true', updated_since: updatedSince, cursor };
    const answer = await client.list(query).catch((error: unknown) => {
      throw page === 1 && start !== undefined && isRefusal(error) ? new CursorRefused(error) : error;
    });
    const list = readPage(answer, `page ${page}, `);
    guard.admit(list, answer.url);
    context.progress(guard.note);
    const isWhole = page === 1 && [start, updatedSince, list.nextCursor].every((each) => each === undefined);
    yield toPage(list, answer, given, isWhole);
    cursor = list.nextCursor;
  }
}

function toPage(
  { items, nextCursor }: ServerList,
  { body, headers }: HttpAnswer,
  given: Set<string>,
  isWhole: boolean,
): ApiPage {
  const { etag } = headers;
  const latestUpdate = latestUpdateOf(items);
  return {
    items: items.filter((item) => isNew(item, given)),
    bytes: body.length,
    ...(nextCursor !== undefined && { nextCursor }),
    ...(isWhole && etag !== undefined && { etag }),
    ...(latestUpdate !== undefined && { latestUpdate }),
  };
}

/** A list that grows while it is read can push an entry onto the next page: that is no fault of the entry. */
function isNew(item: ApiItem, given: Set<string>): boolean {
  if ('quarantined' in item) return true;
  const identity = `${item.entry.name}\n${item.entry.version}`;
  return !given.has(identity) && given.add(identity) !== undefined;
}

function latestUpdateOf(items: readonly ApiItem[]): string | undefined {
  return items
    .map((item) => ('entry' in item ? item.entry : item.quarantined).lifecycle?.updatedAt)
    .reduce((latest, time) => (time && (!latest || isAfter(time, latest)) ? time : latest), undefined);
}

function isRefusal(error: unknown): error is HttpFailure {
  return error instanceof HttpFailure && error.status !== undefined && REFUSALS.has(error.status);
}
