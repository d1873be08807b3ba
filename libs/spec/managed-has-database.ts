import { isFields } from '#domain/fields.js';
import type { z } from 'zod';

/**
 * Refinement of an object with sources and an optional database. A managed source requires a database, because
 * published entries exist nowhere else, and a database inside a pod is lost with the pod.
 */
export function managedHasDatabase(sourcesField: string, databaseField: string) {
  return (config: unknown, context: z.core.$RefinementCtx): void => {
    if (!isFields(config)) return;
    const { [sourcesField]: sources, [databaseField]: database } = config;
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
