import type { z } from 'zod';

/**
 * Refinement of what has sources and perhaps a database. Published entries exist nowhere else; the database inside of a pod
 * goes with the pod.
 */
export function managedHasDatabase(sourcesField: string, databaseField: string) {
  return (config: unknown, context: z.core.$RefinementCtx): void => {
    if (typeof config !== 'object' || config === null) return;
    const { [sourcesField]: sources, [databaseField]: database } = config as Record<string, unknown>;
    if (database !== undefined || !Array.isArray(sources)) return;
    for (const [index, entry] of sources.entries()) {
      if (entry?.managed === undefined) continue;
      context.addIssue({
        code: 'custom',
        path: [sourcesField, index, 'managed'],
        message: `needs ${databaseField}: without it, entries that were published here would be lost with the pod`,
      });
    }
  };
}
