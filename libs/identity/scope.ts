import { z } from 'zod';

/** An OAuth scope (RFC 6749, section 3.3). */
export const scope = z
  .string()
  .max(255)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, { error: 'must be a scope without spaces, quotes and backslashes (RFC 6749)' });
