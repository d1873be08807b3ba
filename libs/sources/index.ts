import { apiSource } from './api/api.source.js';
import { configMapSource } from './config-map.source.js';
import { fileSource } from './file.source.js';
import { gitSource } from './git.source.js';
import { kubernetesSource } from './kubernetes.source.js';
import { managedSource } from './managed.source.js';
import { pvcSource } from './pvc.source.js';
import type { Source } from './source.js';

/** What an MCPRegistry may name, in the order in which documents list it. */
export const sources: readonly Source<unknown>[] = [gitSource, configMapSource, pvcSource, apiSource, managedSource];

/** What only the configuration of a server may name. */
export const serverSources: readonly Source<unknown>[] = [kubernetesSource, fileSource];

/** The source whose block has this name; maybe none. */
export function findSource(block: string): Source<unknown> | undefined {
  return [...sources, ...serverSources].find((source) => source.block === block);
}
