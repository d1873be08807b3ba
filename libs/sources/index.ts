import { apiSource } from './api/api.source.js';
import { configMapSource } from './config-map.source.js';
import { fileSource } from './file.source.js';
import { gitSource } from './git.source.js';
import { kubernetesSource } from './kubernetes.source.js';
import { managedSource } from './managed.source.js';
import { pvcSource } from './pvc.source.js';
import type { Source } from './source.js';

/** The sources that an MCPRegistry may use, in the order in which documents list them. */
export const sources: readonly Source<unknown>[] = [gitSource, configMapSource, pvcSource, apiSource, managedSource];

/** The sources that only the configuration of a server may use. */
export const serverSources: readonly Source<unknown>[] = [kubernetesSource, fileSource];

/** Returns the source with this block name, if there is one. */
export function findSource(block: string): Source<unknown> | undefined {
  return [...sources, ...serverSources].find((source) => source.block === block);
}
