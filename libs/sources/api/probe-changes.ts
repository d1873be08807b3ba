import { HttpFailure, shownUrl, TooLarge } from '#http/http-failure.js';
import { concealPrivate } from '../conceal-private.js';
import { ApiClient } from './api-client.js';
import type { ListQuery } from './api-client.js';
import type { ApiContext } from './api-context.js';
import type { ApiSpec } from './api-spec.js';
import { isAfter, toInstant } from './instant.js';
import { readPage } from './read-page.js';
import type { KnownState, Probe } from '../pages.js';

/**
 * Checks for changes with as few requests as possible: one if the registry supports it, and for a single entry if that
 * is enough. Throws a RegistryError or the abort reason.
 */
export async function probeChanges(spec: ApiSpec, known: KnownState, context: ApiContext): Promise<Probe> {
  await using client = await ApiClient.open(spec, context);
  return await concealPrivate(shownUrl(spec.endpoint), context, () => client.isPrivate, probe(client, known));
}

function probe(client: ApiClient, known: KnownState): Promise<Probe> {
  if (known.etag !== undefined) return probeByTag(client, known.etag);
  const since = toInstant(known.updatedSince);
  return since === undefined ? probeReach(client) : probeByTime(client, since);
}

/**
 * Sends one request although there is no stored state to compare with, so that an unreachable registry is detected
 * before the walk.
 */
async function probeReach(client: ApiClient): Promise<Probe> {
  await client.list({ limit: '1' }, { withoutBody: true });
  return { verdict: 'unknown', because: 'there is no stored state to compare with' };
}

async function probeByTag(client: ApiClient, etag: string): Promise<Probe> {
  const answer = await client.list(
    { limit: '100', include_deleted: 'true' },
    { headers: { 'if-none-match': etag }, withoutBody: true },
  );
  const isSame = answer.status === 304 || answer.headers.etag === etag;
  return isSame
    ? { verdict: 'unchanged', because: 'the whole list has the same entity tag' }
    : { verdict: 'changed', because: 'the list has another entity tag' };
}

const REFUSES_TIME: Probe = { verdict: 'unknown', because: 'the registry rejects updated_since' };

const GIVES_MORE: Probe = {
  verdict: 'unknown',
  because: 'the registry returns more than the one requested entry',
};

/** Maximum bytes of a response that is parsed on the event loop; pages are parsed in threads. */
const PROBE_BYTES = 256 * 1024;

async function probeByTime(client: ApiClient, since: string): Promise<Probe> {
  const query: ListQuery = { limit: '1', include_deleted: 'true', updated_since: since };
  try {
    const { items } = readPage(await client.list(query, { maxBytes: PROBE_BYTES }), '');
    if (client.omits('updated_since')) return REFUSES_TIME;
    const [first] = items;
    if (!first) return { verdict: 'unchanged', because: `nothing was updated after ${since}` };
    const { lifecycle } = 'entry' in first ? first.entry : first.quarantined;
    if (lifecycle?.updatedAt === undefined) {
      return { verdict: 'unknown', because: 'the registry does not say when its entries were updated' };
    }
    return isAfter(lifecycle.updatedAt, since)
      ? { verdict: 'changed', because: `an entry was updated at ${lifecycle.updatedAt}` }
      : { verdict: 'unknown', because: 'the registry ignores updated_since: it returns older entries as well' };
  } catch (error) {
    if (error instanceof HttpFailure && (error.status === 400 || error.status === 422)) {
      return REFUSES_TIME;
    }
    if (error instanceof HttpFailure && error.cause instanceof TooLarge) return GIVES_MORE;
    throw error;
  }
}
