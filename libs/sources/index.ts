import { apiSource } from './api/api.source.js';
import { configMapSource } from './config-map.source.js';
import { gitSource } from './git.source.js';
import { pvcSource } from './pvc.source.js';
import type { Source } from './source.js';

/** Every type of source, in the order in which documents list them. */
export const sources: readonly Source<unknown>[] = [gitSource, configMapSource, pvcSource, apiSource];

/** The source whose block has this name; maybe none. */
export function findSource(block: string): Source<unknown> | undefined {
  return sources.find((source) => source.block === block);
}
