import type { Client } from '#persistence/client.js';
import { compileFilter } from '#domain/source-filter.js';
import type { PublishedItem } from '#persistence/copy-entries.js';
import { publishRevision } from '#persistence/publish-revision.js';
import type { Published } from '#persistence/publish-revision.js';
import type { StagedWalk, WalkItem } from '#persistence/staged-walk.js';
import type { PublishJob } from './thread-jobs.js';

/** Publishes, in one transaction, the pages that a walk has staged, and clears the stage. */
export async function publishWalk(
  client: Client,
  stage: StagedWalk,
  { target, readAlike, isWhole, filter, dataLabel }: Omit<PublishJob, 'kind' | 'stage' | 'database'>,
): Promise<Published> {
  const { latestUpdate, etag } = await stage.state();
  const published = await publishRevision(client, {
    ...target,
    readAlike,
    isWhole,
    dataLabel,
    mark: { latestUpdate, etag },
    hiddenBy: compileFilter(filter),
    read: (claimKnown) => skipKnown(stage.items(), claimKnown),
  });
  await stage.clear();
  return published;
}

/** Marks the staged entries that are already stored unchanged, so that they are not written again. */
async function* skipKnown(
  batches: AsyncIterable<readonly WalkItem[]>,
  claimKnown: (hash: string) => boolean,
): AsyncGenerator<readonly PublishedItem[]> {
  const given = new Set<string>();
  // If the list changes during the walk, an entry can appear on two pages, before and after a restart of the walk. Only
  // its first copy is used.
  const isNew = (item: WalkItem): boolean => {
    if ('quarantined' in item) return true;
    const identity = `${item.entry.name}\n${item.entry.version}`;
    return !given.has(identity) && given.add(identity) !== undefined;
  };
  for await (const items of batches) {
    yield items
      .filter(isNew)
      .map((item) => ('entry' in item && claimKnown(item.hash.toString('latin1')) ? { known: true } : item));
  }
}
