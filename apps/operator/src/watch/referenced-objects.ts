import { PROVIDER_OBJECTS } from '#identity/provider-spec.js';
import { parseConfigYaml } from '#sources/yaml/config-yaml.js';
import { CONFIG_LIMIT } from '#spec/raw-spec.js';
import { walkBounded } from '#domain/bounded-walk.js';
import { findSource, serverSources, sources } from '#sources/index.js';

/** `Kind/name` of an object in the namespace of the registry that refers to it. */
export type Reference = `${ReferredKind}/${string}`;

type ReferredKind = 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim';

/** The names of fields that refer to an object, for each type of source and provider, beside those of pods and of the spec itself. */
const OBJECT_FIELDS = [...sources, ...serverSources]
  .flatMap(({ objects = [] }) => objects)
  .concat(PROVIDER_OBJECTS)
  .map(({ path, kind }) => [path.at(-1) as string, kind] as const);

/** Fields that refer to an object: its kind, and the key of its name. */
const FIELDS: readonly (readonly [field: RegExp, kind: ReferredKind, name: string])[] = [
  [/SecretRef$|^secretRef$|^secretKeyRef$/, 'Secret', 'name'],
  [/^secret$/, 'Secret', 'secretName'],
  [/^configMapRef$|^caCertRef$|^configMapKeyRef$|^configMap$/, 'ConfigMap', 'name'],
  [/^persistentVolumeClaim$/, 'PersistentVolumeClaim', 'claimName'],
  ...OBJECT_FIELDS.map(([field, kind]) => [new RegExp(`^${field}$`), kind, 'name'] as const),
];

/** Above what any pod can use; a spec that names more has the rest ignored. */
export const REFERENCE_LIMIT = 1_000;
/** The longest name of an object. */
const NAME_LIMIT = 253;

/**
 * Finds the objects that a spec names, valid or not: in its own fields, in a `configYAML`, and in volumes and containers of a
 * pod. It goes by the names of fields alone: a wrong hit costs a look, a missing one an edit that nothing notices. Its work
 * is bounded, and a spec beyond these bounds is refused by validation.
 */
export function referencedObjects(spec: unknown): ReadonlySet<Reference> {
  const found = new Set<Reference>();
  collect(spec, found);
  collect(parseText((spec as { configYAML?: unknown } | null | undefined)?.configYAML), found);
  return found;
}

/** Returns undefined for a text with faults, which validation reports. */
function parseText(text: unknown): unknown {
  if (typeof text !== 'string' || text.length > CONFIG_LIMIT) return undefined;
  const read = parseConfigYaml(text);
  return 'faults' in read ? undefined : read.content;
}

function collect(root: unknown, found: Set<Reference>): void {
  walkBounded(root, ({ field, value }) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [pattern, kind, nameField] of FIELDS) {
      if (!pattern.test(field)) continue;
      const name: unknown = (value as Record<string, unknown>)[nameField];
      add(kind, name, found);
    }
    const claim = claimOf(field, value);
    if (claim !== undefined) add('PersistentVolumeClaim', claim, found);
  });
}

/** Returns the claim that a valid block of a source mounts. */
function claimOf(block: string, value: object): string | undefined {
  const source = findSource(block);
  const parsed = source?.mount && source.spec.safeParse(value);
  const mount = parsed?.success ? source?.mount?.(parsed.data) : undefined;
  return mount && 'claim' in mount ? mount.claim : undefined;
}

function add(kind: ReferredKind, name: unknown, found: Set<Reference>): void {
  const isName = typeof name === 'string' && name !== '' && name.length <= NAME_LIMIT;
  if (isName && found.size < REFERENCE_LIMIT) found.add(`${kind}/${name}`);
}
