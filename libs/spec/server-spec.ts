import { z } from 'zod';

/** Each reader holds a connection to the database, of which a Postgres has 100 by default. */
export const MOST_READERS = 100;

/** `spec.server`: how many servers a registry has. */
export const serverSpec = z
  .strictObject({
    readers: z
      .int()
      .min(0)
      .max(MOST_READERS)
      .default(0)
      .describe(
        'readers is the number of read-only servers beside the one that syncs. They need a database outside of the pod. It is what the scale subresource sets.',
      ),
  })
  .describe('server says how many servers answer for the registry.');
