import { PUBLISHED_TYPE } from '#domain/published-type.js';
import { z } from 'zod';
import { defineSource } from './source.js';

/** A prefix of server names: whole labels of a namespace (`io.github.`), a namespace (`io.github.me/`), or more. */
const namePrefix = z
  .string()
  .max(200)
  .regex(
    /^[a-zA-Z0-9.-]+(\/[a-zA-Z0-9._-]*|\.)$/,
    'must be a prefix of server names that ends in "." or contains "/", such as io.github.company/',
  );

const managedSpec = z
  .strictObject({
    writers: z
      .enum(['everyone'])
      .optional()
      .describe(
        'writers: everyone lets every valid token publish. Otherwise auth.oauth.requiredScopes.write is required.',
      ),
    namePrefixes: z
      .array(namePrefix)
      .min(1)
      .max(50)
      .optional()
      .describe(
        'namePrefixes are the prefixes of the names that may be published here. Without them any name may be published, and it shadows that of later sources.',
      ),
  })
  .describe('managed holds entries that are published through the API of this registry.');

/** A source whose entries are published through the API of this registry: the `managed` block. */
export const managedSource = defineSource({
  block: PUBLISHED_TYPE,
  view: { type: 'MANAGED', sourceType: 'managed' },
  shape: 'published',
  spec: managedSpec,
  defaultFormat: 'upstream',
  changedBy: 'publications',
  excludes: {
    filter: 'unwanted entries can be left unpublished',
    defaultNamespace: 'servers are published under their full names',
  },
  address: () => 'published here',
  namePrefixes: ({ namePrefixes }) => namePrefixes,
});
