import { isFields } from '../fields.js';
import { z } from 'zod';
import { FACET_FIELDS, termFault } from './filter-terms.js';

/** Limits of ARD requests and manifests. */
export const ARD_LIMITS = {
  /** Maximum bytes of a request body. */
  bodyBytes: 16 * 1024,
  /** Maximum characters of a search text. */
  text: 1024,
  /** Maximum terms of a filter, values of a term, and characters of a value. */
  terms: 10,
  values: 50,
  value: 256,
  /** Maximum facets of a request, and buckets of a facet. */
  facets: 10,
  buckets: 100,
  /** Maximum entries of a page. A larger request is reduced to it. */
  pageSize: 100,
  /** Maximum characters of a page token. */
  token: 1024,
  /** Maximum servers in a manifest. The manifest of a registry with more lists none. */
  manifest: 1000,
} as const;

const MANY = `must be a text or a list of 1 to ${ARD_LIMITS.values} texts of at most ${ARD_LIMITS.value} characters`;

const value = z.string({ error: MANY }).max(ARD_LIMITS.value, MANY);
const values = z.union([value.transform((one) => [one]), z.array(value).min(1).max(ARD_LIMITS.values)], {
  error: MANY,
});

/**
 * Parses a filter to a list of terms. The result is not an object, because some keys have a special meaning in an
 * object.
 */
const filter = z
  .custom<object>(isFields, 'must be an object')
  .transform((given, context): [string, string[]][] => {
    const terms = Object.entries(given);
    if (terms.length > ARD_LIMITS.terms) {
      context.addIssue({ code: 'custom', message: `must have at most ${ARD_LIMITS.terms} terms` });
      return z.NEVER;
    }
    return terms.flatMap(([term, asked]): [string, string[]][] => {
      const read = values.safeParse(asked);
      const fault = termFault(term) ?? (read.success ? undefined : MANY);
      if (fault !== undefined)
        context.addIssue({ code: 'custom', path: [term.slice(0, ARD_LIMITS.value)], message: fault });
      return read.success ? [[term, read.data]] : [];
    });
  })
  .default([]);

const text = z
  .string({ error: 'must be the search text' })
  .max(ARD_LIMITS.text, `must have at most ${ARD_LIMITS.text} characters`)
  .refine((given) => given.trim() !== '', 'must not be blank');

const positive = (fallback: number, most: number) =>
  z
    .int('must be a whole number from 1')
    .min(1, 'must be a whole number from 1')
    .transform((given) => Math.min(given, most))
    .default(fallback);

const pageToken = z
  .string('must be the pageToken of the previous page')
  .max(ARD_LIMITS.token, 'is not a token that this server issued');

/** The body of a search. */
export const SearchRequestSchema = z.object(
  {
    query: z.object({ text, filter }, 'must be an object with a text'),
    federation: z.enum(['auto', 'referrals', 'none'], 'must be auto, referrals or none').default('auto'),
    pageSize: positive(10, ARD_LIMITS.pageSize),
    pageToken: pageToken.optional(),
  },
  'must be a JSON object with a query',
);

const facet = z.object({
  field: z
    .string()
    .refine(
      (field) => FACET_FIELDS.includes(field),
      `is not a field that can be counted: use ${FACET_FIELDS.join(', ')}`,
    ),
  limit: z.int().min(1).max(ARD_LIMITS.buckets, `must be at most ${ARD_LIMITS.buckets}`).default(20),
  minCount: z.int().min(1).default(1),
});

/** The body of an exploration. */
export const ExploreRequestSchema = z.object(
  {
    query: z.object({ text: text.optional(), filter }, 'must be an object').default({ filter: [] }),
    resultType: z.object(
      {
        facets: z
          .array(facet)
          .min(1, 'must name a facet')
          .max(ARD_LIMITS.facets, `must have at most ${ARD_LIMITS.facets} facets`)
          .refine(
            (facets) => new Set(facets.map(({ field }) => field)).size === facets.length,
            'must name each field only once',
          ),
      },
      'must be an object with facets',
    ),
  },
  'must be a JSON object with a resultType',
);
