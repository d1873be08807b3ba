import { z } from 'zod';
import { MAX_FILTER_TEXT } from '#read-model/cursor.js';
import { UNDECODABLE } from './query-string.js';

export const DEFAULT_LIMIT = 30;
export const MAX_LIMIT = 1000;

export const FOREIGN_CURSOR = 'is not one that this server made';

/** Text as clients may send it. NUL is refused because no text that is stored can hold it. */
export const text = z
  .string({ error: ({ input }) => (Array.isArray(input) ? 'must be given once, as plain text' : undefined) })
  .refine((value) => !value.includes('\0'), 'must not hold a NUL character');

export const shortText = text.refine(
  (value) => value.length <= MAX_FILTER_TEXT,
  `must have at most ${MAX_FILTER_TEXT} characters`,
);

export const limit = text
  .regex(/^0*[1-9]\d*$/, `must be a whole number from 1; above ${MAX_LIMIT} it is cut to ${MAX_LIMIT}`)
  .transform((value) => Math.min(Number(value), MAX_LIMIT))
  .optional();

/**
 * Unknown parameters are ignored, but what cannot be decoded is refused wherever it stands. A parameter without a value is
 * absent: some clients send every parameter that they know.
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
