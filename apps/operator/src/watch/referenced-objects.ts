import { PROVIDER_OBJECTS } from '#identity/provider-spec.js';
import { parseConfigYaml } from '#sources/yaml/config-yaml.js';
import { CONFIG_LIMIT } from '#spec/raw-spec.js';
import { walkBounded } from '#domain/bounded-walk.js';
import { findSource, serverSources, sources } from '#sources/index.js';

/** `Kind/name` of an object, in the namespace of the registry that refers to it. */
export type Reference = `${ReferredKind}/${string}`;

type ReferredKind = 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim';

/**
 * Names of fields that refer to an object, for each type of source and provider. Those of pods and of the spec itself
 * are in `FIELDS`.
 */
const OBJECT_FIELDS = [...sources, ...serverSources]
  .flatMap(({ objects = [] }) => objects)
  .concat(PROVIDER_OBJECTS)
  .map(({ path, kind }) => [path.at(-1) as string, kind] as const);

/** Fields that refer to an object, with the object's kind and the key that has its name. */
const FIELDS: readonly (readonly [field: RegExp, kind: ReferredKind, name: string])[] = [
  [/SecretRef$|^secretRef$|^secretKeyRef$/, 'Secret', 'name'],
  [/^secret$/, 'Secret', 'secretName'],
  [/^configMapRef$|^caCertRef$|^configMapKeyRef$|^configMap$/, 'ConfigMap', 'name'],
  [/^persistentVolumeClaim$/, 'PersistentVolumeClaim', 'claimName'],
  ...OBJECT_FIELDS.map(([field, kind]) => [new RegExp(`^${field}$`), kind, 'name'] as const),
];

/** Maximum number of references in a spec, more than any pod can use. Further ones are ignored. */
export const REFERENCE_LIMIT = 1_000;
/** Maximum length of an object name. */
const NAME_LIMIT = 253;

/**
 * Finds the objects that a spec, valid or not, refers to: in its own fields, in a `configYAML`, and in volumes and
 * containers of a pod. It uses field names only, because a false match costs one check, but a missed one means an edit
 * that nothing notices. Its work is bounded; validation rejects a spec beyond these bounds.
 */
export function referencedObjects(spec: unknown): ReadonlySet<Reference> {
  const found = new Set<Reference>();
  collect(spec, found);
  collect(parseText((spec as { configYAML?: unknown } | null | undefined)?.configYAML), found);
  return found;
}

/** Parses YAML. Returns undefined if it has errors, which validation reports. */
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

/** Returns the claim that the block of a source mounts, if the block is valid. */
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
