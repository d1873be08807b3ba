import { randomUUID } from 'node:crypto';
import type { Client } from '#persistence/client.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { EntryCounts } from '#domain/sync.js';
import { publishWalk } from '#activities/sync/publish-walk.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import { apiSource } from '#sources/api/api.source.js';

/** Publishes a whole list, given as the bodies of its pages, like a sync. `stageClient` is a second connection. */
export async function publishPages(
  client: Client,
  stageClient: Client,
  registry: RegistryRef,
  bodies: readonly Buffer[],
): Promise<EntryCounts> {
  const stage = await StagedWalk.open(stageClient, registry, 's', randomUUID());
  for (const [index, body] of bodies.entries()) {
    const isFirst = index === 0;
    const page = apiSource.read({ body, url: 'https://registry.example.com', place: `page ${index + 1}, `, isFirst });
    const isLast = index === bodies.length - 1;
    await stage.add({ items: page.items, ...(!isLast && { nextCursor: String(index) }) }, null);
  }
  const { counts } = await publishWalk(client, stage, {
    target: { registry, source: 's', specHash: 'a', filterHash: 'b' },
    readAlike: true,
    isWhole: true,
    filter: {},
    dataLabel: 'https://registry.example.com',
  });
  return counts;
}

const PAGE_ENTRIES = 2;

/** Returns the pages of a registry with these servers, each of which is given as JSON. */
export function pagesOf(servers: readonly string[]): Buffer[] {
  const pages = Array.from({ length: Math.max(1, Math.ceil(servers.length / PAGE_ENTRIES)) }, (_, index) =>
    servers.slice(index * PAGE_ENTRIES, (index + 1) * PAGE_ENTRIES),
  );
  // Encode as Latin-1, so that a fault can be a byte that is invalid in UTF-8.
  return pages.map((page) => Buffer.from(`{"servers":[${page.join(',')}],"metadata":{}}`, 'latin1'));
}
