import { z } from 'zod';

/** Fields of other generations of MCPRegistry, and of tools that write into manifests, with what to do about each. */
const FORMER_FIELDS: Readonly<Record<string, string>> = {
  source: 'make it an item of spec.registries, with a name',
  sources: 'make each of them an item of spec.registries, with a name',
  configMapSelector: 'name each ConfigMap in the configMapRef of an item of spec.registries',
  sops: 'the document is encrypted with SOPS: decrypt it, as with sops --decrypt, before it is read here',
};

/** Places that are named for one field; a field that stands in more of them, such as name, says nothing about what was meant. */
const MAX_PLACES = 3;

/** Returns what to do about a field that is not known where it stands, but belongs elsewhere; undefined for any other. */
export function misplacedField(field: string, schema: z.core.$ZodType, root: string): string | undefined {
  if (Object.hasOwn(FORMER_FIELDS, field)) return FORMER_FIELDS[field];
  const places = placesOf(schema).get(field);
  if (!places || places.size > MAX_PLACES) return undefined;
  const named = [...places].map((place) => [root, place].filter(Boolean).join('.'));
  return `move it to ${named.join(' or ')}`;
}

type Places = ReadonlyMap<string, ReadonlySet<string>>;

const placesBySchema = new WeakMap<z.core.$ZodType, Places>();

/** Returns the paths of all fields of a schema by their last step, as in `registries[].filter`. */
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
