import { RegistryError } from '#domain/registry-error.js';
import { BodyBudget } from '#http/body-budget.js';
import type { HttpAnswer } from '#http/guarded-fetch.js';
import { HttpFailure, shownUrl } from '#http/http-failure.js';
import { concealPrivate } from '../conceal-private.js';
import { API_LIMITS, ApiClient } from './api-client.js';
import type { ApiContext } from './api-context.js';
import type { ApiSpec } from './api-spec.js';
import { isAfter } from './instant.js';
import { LoopGuard } from './loop-guard.js';
import { readPage } from './read-page.js';
import type { ApiItem } from './read-server-response.js';
import type { RawPage, PageOutline, ApiPage, WalkOptions } from '../pages.js';

/**
 * Thrown if the registry no longer accepts the stored cursor. The caller must discard the stored part of the walk and
 * start a new one.
 */
export class CursorRefused extends RegistryError {
  constructor(cause: HttpFailure) {
    super('FetchFailed', `${cause.message} The walk has to start over.`, 'retry', { cause });
  }
}

/**
 * Memory limit for the pages of all walks of this process, both while they wait for a thread and while a thread reads
 * them.
 */
const PAGES = new BodyBudget(64 * 1024 * 1024);

/** The maximum page size of the official registry. Other registries return more or fewer entries. */
const PAGE_SIZE = 100;

/** Status codes with which registries reject a parameter. */
const REFUSALS = new Set([400, 410, 422]);

/**
 * Requests the list page by page and yields the result of `take` for each page. Includes tombstones if the registry has
 * them. An empty list is not an error here. Throws a RegistryError or the abort reason.
 */
export async function* walkPages<Page extends PageOutline>(
  spec: ApiSpec,
  options: WalkOptions,
  context: ApiContext,
  take: (page: RawPage) => Page | Promise<Page>,
): AsyncGenerator<Page> {
  const { cursor: start, updatedSince, defaultNamespace } = options;
  const namespace = defaultNamespace === undefined ? {} : { defaultNamespace };
  const guard = new LoopGuard(options, { ...API_LIMITS, ...context.settings.limits });
  await using client = await ApiClient.open(spec, context);
  const takePage = async (page: number, cursor: string | undefined) => {
    const query = { limit: String(PAGE_SIZE), include_deleted: 'true', updated_since: updatedSince, cursor };
    using hold = PAGES.open();
    const answer = await client.list(query, { hold }).catch((error: unknown) => {
      throw page === 1 && start !== undefined && isRefusal(error) ? new CursorRefused(error) : error;
    });
    guard.admitBytes(answer.body.length, answer.url);
    const isFirst = page === 1 && start === undefined && updatedSince === undefined;
    return { url: answer.url, taken: await take({ ...toRawPage(answer, `page ${page}, `, isFirst), ...namespace }) };
  };
  for (let page = 1, cursor = start; page === 1 || cursor !== undefined; page++) {
    const work = takePage(page, cursor);
    // A host that has sent a page is a registry, so its failures may be reported.
    const isProven = page > 1 || start !== undefined;
    const { url, taken } = await concealPrivate(
      shownUrl(spec.endpoint),
      context,
      () => client.isPrivate && !isProven,
      work,
    );
    guard.admit(taken, url);
    context.progress(guard.note);
    yield taken;
    cursor = taken.nextCursor;
  }
}

function toRawPage({ body, headers, url }: HttpAnswer, place: string, isFirst: boolean): RawPage {
  const { etag, 'content-type': contentType } = headers;
  return {
    body,
    url,
    place,
    isFirst,
    ...(contentType !== undefined && { contentType }),
    ...(etag !== undefined && { etag }),
  };
}

/** Reads a page. Throws a RegistryError if it is not a valid page. */
export function readApiPage({ body, contentType, etag, url, place, isFirst, defaultNamespace }: RawPage): ApiPage {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const headers = contentType === undefined ? {} : { 'content-type': contentType };
  const { items, nextCursor, digest } = readPage({ body: buffer, headers, url }, place, defaultNamespace);
  const latestUpdate = latestUpdateOf(items);
  return {
    items,
    entries: items.length,
    digest,
    ...(nextCursor !== undefined && { nextCursor }),
    ...(isFirst && nextCursor === undefined && etag !== undefined && { etag }),
    ...(latestUpdate !== undefined && { latestUpdate }),
  };
}

/** Maximum accepted time in milliseconds by which the clock of another registry may be ahead. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** Returns the latest update. A time in the future is ignored, because nothing could have changed after it. */
function latestUpdateOf(items: readonly ApiItem[]): string | undefined {
  const soonest = new Date(Date.now() + CLOCK_SKEW_MS).toISOString();
  return items
    .map((item) => ('entry' in item ? item.entry : item.quarantined).lifecycle?.updatedAt)
    .filter((time) => time !== undefined && !isAfter(time, soonest))
    .reduce((latest, time) => (time && (!latest || isAfter(time, latest)) ? time : latest), undefined);
}

function isRefusal(error: unknown): error is HttpFailure {
  return error instanceof HttpFailure && error.status !== undefined && REFUSALS.has(error.status);
}
