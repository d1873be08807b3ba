import { z } from 'zod';
import { MAX_FILTER_TEXT } from '#read-model/cursor.js';
import { UNDECODABLE } from './query-string.js';

export const DEFAULT_LIMIT = 30;
export const MAX_LIMIT = 1000;

export const FOREIGN_CURSOR = 'was not issued by this server: start again without it';

/** A string from a client. NUL is rejected, because no stored string can contain it. */
export const text = z
  .string({ error: ({ input }) => (Array.isArray(input) ? 'must be given once, as plain text' : undefined) })
  .refine((value) => !value.includes('\0'), 'must not contain a NUL character');

export const shortText = text.refine(
  (value) => value.length <= MAX_FILTER_TEXT,
  `must have at most ${MAX_FILTER_TEXT} characters`,
);

export const limit = text
  .regex(/^0*[1-9]\d*$/, `must be a whole number from 1; larger values count as ${MAX_LIMIT}`)
  .transform((value) => Math.min(Number(value), MAX_LIMIT))
  .optional();

/**
 * Rejects values that cannot be decoded, even in unknown parameters, which are otherwise ignored. A parameter without a
 * value counts as absent, because some clients send every parameter that they know.
 */
export const decodable = z
  .looseObject({})
  .superRefine((values, context) => {
    for (const [name, value] of Object.entries(values)) {
      if (value !== UNDECODABLE) continue;
      const message = 'is not valid percent-encoded UTF-8';
      context.addIssue({ code: 'custom', path: [name], message, continue: false });
    }
  })
  .transform((values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== '')));
