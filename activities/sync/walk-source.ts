import type { Client } from 'pg';
import { compileFilter } from '#domain/source-filter.js';
import type { DatabaseAccess } from '#persistence/database.js';
import { publishRevision } from '#persistence/publish-revision.js';
import type { PublishedItem } from '#persistence/copy-entries.js';
import type { Published } from '#persistence/publish-revision.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import type { WalkItem } from '#persistence/staged-walk.js';
import { findSource } from '#sources/index.js';
import { CursorRefused } from '#sources/api/walk-pages.js';
import { isAfter } from '#sources/api/instant.js';
import type { WalkJob } from './import-threads.js';

interface Surroundings {
  readonly signal: AbortSignal;
  progress(note: string): void;
  withClient<T>(database: DatabaseAccess, work: (client: Client) => Promise<T>): Promise<T>;
}

/**
 * Reads a source page by page into the stage, from where an earlier try ended, and publishes it in one transaction when
 * the last page is there.
 */
export async function walkSource(job: WalkJob, { signal, progress, withClient }: Surroundings): Promise<Published> {
  const { target, database, readAlike, updatedSince } = job;
  const source = findSource(job.type);
  if (source?.shape !== 'pages') throw new Error(`${job.type} is no source that is read page by page`);
  const { pages } = source;
  return withClient(database, async (stageClient) => {
    const stage = await StagedWalk.open(stageClient, target.registry, target.source, job.walk);
    await fetchPages(stage);
    const { latestUpdate, etag } = await stage.state();
    const published = await withClient(database, (client) =>
      publishRevision(client, {
        ...target,
        readAlike,
        isWhole: updatedSince === undefined,
        mark: { latestUpdate, etag },
        hiddenBy: compileFilter(job.filter),
        read: (claimKnown) => skipKnown(stage.items(), claimKnown),
      }),
    );
    await stage.clear();
    return published;
  });

  async function fetchPages(stage: StagedWalk): Promise<void> {
    const { cursor, isWhole, pages: stored, ...state } = await stage.state();
    if (isWhole) return;
    if (stored > 0) progress(`going on after page ${stored}`);
    let { latestUpdate } = state;
    const options = {
      ...(cursor === undefined ? {} : { cursor }),
      ...(updatedSince === undefined ? {} : { updatedSince }),
    };
    try {
      for await (const page of pages(job.spec, options, { signal, progress, settings: job.settings })) {
        const update = page.latestUpdate;
        if (update !== undefined && (latestUpdate === null || isAfter(update, latestUpdate))) latestUpdate = update;
        await stage.add(page, latestUpdate);
      }
    } catch (error) {
      if (error instanceof CursorRefused) await stage.reset();
      throw error;
    }
  }
}

/** Pages are parsed before they are staged; what is stored alike need not be written all the same. */
async function* skipKnown(
  batches: AsyncIterable<readonly WalkItem[]>,
  claimKnown: (hash: string) => boolean,
): AsyncGenerator<readonly PublishedItem[]> {
  const given = new Set<string>();
  // A list that changes while it is walked can give an entry on two pages, before and after a restart of the walk.
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
