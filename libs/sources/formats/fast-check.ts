import { Ajv } from 'ajv';
import { z } from 'zod';
import { checked } from './entry-fault.js';

/**
 * Returns a check like {@link checked}, for a schema that whole catalogues are validated against. A value that a
 * compiled JSON Schema of `schema` accepts needs no further check. That applies to nearly all values, takes a fifth of
 * zod's time and creates no garbage. zod decides about all other values and describes the errors.
 *
 * A refinement must declare its condition as JSON Schema in zod's global registry, at least as strictly. If one does
 * not, the first check throws, because values that the refinement rejects would be accepted without notice.
 */
export function fastCheck<Schema extends z.ZodType>(schema: Schema): (value: unknown) => z.output<Schema> {
  let isValid: ((value: unknown) => boolean) | undefined;
  return (value) => {
    isValid ??= compile(schema);
    return isValid(value) ? (value as z.output<Schema>) : checked(schema, value);
  };
}

function compile(schema: z.ZodType): (value: unknown) => boolean {
  const unsaid = new Set<string>();
  const jsonSchema = z.toJSONSchema(schema, {
    target: 'draft-7',
    // Called once for each step in which a schema was composed, with the final schema last.
    override({ zodSchema, path }) {
      const place = path.join('.');
      if (z.globalRegistry.has(zodSchema)) unsaid.delete(place);
      else if (zodSchema._zod.def.checks?.some((check) => check._zod.def.check === 'custom')) unsaid.add(place);
    },
  });
  if (unsaid.size > 0) throw new Error(`Refinements without an expectation: ${[...unsaid].join(', ')}`);
  return new Ajv({ strict: false }).compile(jsonSchema);
}
