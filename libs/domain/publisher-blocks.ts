import { isFields } from './fields.js';
import type { Fields } from './fields.js';

/** The key of `_meta` under which a publisher keeps blocks of its own. */
export const PUBLISHER_PROVIDED = 'io.modelcontextprotocol.registry/publisher-provided';

/** What a publisher says under one key of one namespace; it may hold anything. */
export type PublisherBlock = Fields;

/** Returns the publisher-provided blocks of a server.json: any namespace, any key. */
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

/** Returns the texts of the lists under one key of the blocks, each once. */
export function textsIn(blocks: readonly PublisherBlock[], key: string): string[] {
  const texts = new Set<string>();
  for (const { [key]: given } of blocks) {
    if (!Array.isArray(given)) continue;
    for (const text of given as unknown[]) if (typeof text === 'string') texts.add(text);
  }
  return [...texts];
}
