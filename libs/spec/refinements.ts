import type { z } from 'zod';

/** A refinement of a list whose entries are identified by `name`. Reports the second of two equal names. */
export function uniqueNames(entries: unknown, context: z.core.$RefinementCtx): void {
  const seen = new Map<string, number>();
  for (const [index, entry] of Array.isArray(entries) ? entries.entries() : []) {
    const name: unknown = entry?.name;
    if (typeof name !== 'string') continue;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else
      context.addIssue({
        code: 'custom',
        path: [index, 'name'],
        message: `is also the name of item ${first}: give each item its own name`,
      });
  }
}

/**
 * Runs a refinement even if other fields are invalid, so that all errors are reported together. The refinement must
 * accept any value.
 */
export const always = { when: () => true };
