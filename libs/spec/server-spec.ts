import { z } from 'zod';

/**
 * Maximum number of readers, because each one holds a connection to the database, and Postgres allows 100 by default.
 */
export const MOST_READERS = 100;

/** `spec.server`: the number of servers of a registry. */
export const serverSpec = z
  .strictObject({
    readers: z
      .int()
      .min(0)
      .max(MOST_READERS)
      .default(0)
      .describe(
        'readers is the number of read-only servers in addition to the one that syncs. They need a database outside of the pod. The scale subresource sets this field.',
      ),
  })
  .describe('server specifies how many servers the registry has.');
