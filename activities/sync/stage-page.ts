import type { Client } from '#persistence/client.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import { isAfter } from '#sources/api/instant.js';
import type { PageOutline } from '#sources/pages.js';
import { findSource } from '#sources/index.js';
import type { PageJob } from './thread-jobs.js';

/** Parses a page and writes it to the stage of its walk. */
export async function stagePage(client: Client, { type, page: raw, stage: ref }: PageJob): Promise<PageOutline> {
  const source = findSource(type);
  if (source?.shape !== 'pages') throw new Error(`${type} sources are not read page by page`);
  const { items, etag, latestUpdate, ...outline } = source.read(raw);
  const stage = StagedWalk.reach(client, ref.sourceId, ref.walk);
  const { latestUpdate: latest } = await stage.state();
  const isLater = latestUpdate !== undefined && (latest === null || isAfter(latestUpdate, latest));
  await stage.add({ items, ...outline, ...(etag !== undefined && { etag }) }, isLater ? latestUpdate : latest);
  return outline;
}
