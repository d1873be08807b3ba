import { isFields } from './fields.js';
import type { Fields } from './fields.js';

/** Key in `_meta` for a publisher's own blocks. */
export const PUBLISHER_PROVIDED = 'io.modelcontextprotocol.registry/publisher-provided';

/** The publisher's value for one key of one namespace. It may contain anything. */
export type PublisherBlock = Fields;

/** Returns the publisher-provided blocks of a server.json, from all namespaces and keys. */
export function publisherBlocks(server: { readonly _meta?: unknown }): readonly PublisherBlock[] {
  const provided = isFields(server._meta) ? server._meta[PUBLISHER_PROVIDED] : undefined;
  const blocks: PublisherBlock[] = [];
  if (!isFields(provided)) return blocks;
  for (const namespace of Object.values(provided)) {
    if (!isFields(namespace)) continue;
    for (const block of Object.values(namespace)) if (isFields(block)) blocks.push(block);
  }
  return blocks;
}

/** Returns the strings of the lists under one key of the blocks, without duplicates. */
export function textsIn(blocks: readonly PublisherBlock[], key: string): string[] {
  const texts = new Set<string>();
  for (const { [key]: given } of blocks) {
    if (!Array.isArray(given)) continue;
    for (const text of given as unknown[]) if (typeof text === 'string') texts.add(text);
  }
  return [...texts];
}
