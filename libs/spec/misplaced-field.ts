import { z } from 'zod';

/** Fields of earlier versions of MCPRegistry, and of tools that write into manifests, with a remedy for each. */
const FORMER_FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    source: 'make it an item of spec.registries, with a name',
    sources: 'make each of them an item of spec.registries, with a name',
    configMapSelector: 'name each ConfigMap in the configMapRef of an item of spec.registries',
    sops: 'the document is encrypted with SOPS: decrypt it, as with sops --decrypt, before it is read here',
  }),
);

/**
 * Maximum number of places that are suggested for a field. A field that occurs in more places, such as name, does not
 * show what was intended.
 */
const MAX_PLACES = 3;

/**
 * Returns a remedy for a field that is unknown in its place but belongs elsewhere, or undefined for any other field.
 */
export function misplacedField(field: string, schema: z.core.$ZodType, root: string): string | undefined {
  const remedy = FORMER_FIELDS.get(field);
  if (remedy !== undefined) return remedy;
  const places = placesOf(schema).get(field);
  if (!places || places.size > MAX_PLACES) return undefined;
  const named = [...places].map((place) => [root, place].filter(Boolean).join('.'));
  return `move it to ${named.join(' or ')}`;
}

type Places = ReadonlyMap<string, ReadonlySet<string>>;

const placesBySchema = new WeakMap<z.core.$ZodType, Places>();

/** Returns the paths of all fields of a schema, such as `registries[].filter`, by their last step. */
function placesOf(schema: z.core.$ZodType): Places {
  const known = placesBySchema.get(schema);
  if (known) return known;
  const places = new Map<string, Set<string>>();
  collect(schema, '', [], (field, path) => places.set(field, (places.get(field) ?? new Set()).add(path)));
  placesBySchema.set(schema, places);
  return places;
}

function collect(
  schema: z.core.$ZodType,
  path: string,
  within: readonly z.core.$ZodType[],
  add: (field: string, path: string) => void,
): void {
  if (within.includes(schema)) return; // it contains itself
  const inner = (next: z.core.$ZodType, at = path) => collect(next, at, [...within, schema], add);
  if (schema instanceof z.ZodObject) {
    for (const [field, value] of Object.entries<z.core.$ZodType>(schema.shape)) {
      const at = path ? `${path}.${field}` : field;
      add(field, at);
      inner(value, at);
    }
  } else if (schema instanceof z.ZodArray) {
    inner(schema.element, `${path}[]`);
  } else if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) inner(option);
  } else if (schema instanceof z.ZodPipe) {
    inner(schema.in);
  } else if ('innerType' in schema._zod.def) {
    inner(schema._zod.def.innerType as z.core.$ZodType);
  }
}
