import { z } from 'zod';
import { defineSource } from './source.js';

/** Entries that are published through the API of this registry: the `managed` block of a source. */
export const managedSource = defineSource({
  block: 'managed',
  view: { type: 'MANAGED', sourceType: 'managed' },
  shape: 'managed',
  spec: z.strictObject({}).describe('Entries are published through the API of this registry.'),
  address: () => 'published here',
  references: () => ({}),
});
