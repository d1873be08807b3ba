import { parse } from 'smol-toml';
import type { z } from 'zod';

/** Returns a check that parses a TOML document and validates it against a schema. */
export function checkToml(schema: z.ZodType): (text: string) => void {
  return (text) => void schema.parse(parse(text));
}
