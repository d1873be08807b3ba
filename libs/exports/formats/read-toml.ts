import { parse } from 'smol-toml';
import type { z } from 'zod';

/** Makes the check of a format that is TOML. */
export function checkToml(schema: z.ZodType): (text: string) => void {
  return (text) => void schema.parse(parse(text));
}
