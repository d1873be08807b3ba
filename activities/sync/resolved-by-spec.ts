import type { ResolvedRevision } from '#domain/sync.js';
import type { SourceRevision } from '#sources/source.js';
import { isReadAlike } from './open-source.js';
import type { OpenFile, OpenPages } from './open-source.js';

/** What to fetch: as it was resolved, or, when the spec was edited since, what the source of now holds. */
export async function revisionOf(
  source: Pick<OpenFile, 'plan' | 'resolve'>,
  resolved: ResolvedRevision,
): Promise<SourceRevision> {
  return resolved.specHash === source.plan.specHash ? resolved : source.resolve();
}

/**
 * From when on to ask for changes; undefined: for everything. A time of one registry says nothing of another, be it that
 * the spec was edited since, or that what is stored came by another spec meanwhile.
 */
export function sinceOf(
  source: Pick<OpenPages, 'plan' | 'stored'>,
  { specHash, since }: ResolvedRevision,
): string | undefined {
  return specHash === source.plan.specHash && isReadAlike(source) ? since : undefined;
}
