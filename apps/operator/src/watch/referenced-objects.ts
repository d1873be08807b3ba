import { parseConfigYaml } from '#config/config-yaml.js';
import { CONFIG_LIMIT } from '#config/raw-spec.js';
import { walkBounded } from '#domain/bounded-walk.js';

/** `Kind/name` of an object in the namespace of the registry that refers to it. */
export type Reference = `${'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'}/${string}`;

/** Fields that refer to an object: its kind, and the key of its name. */
const FIELDS: readonly (readonly [
  field: RegExp,
  kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim',
  name: string,
])[] = [
  [/SecretRef$|^secretRef$|^secretKeyRef$|^clientSecretRef$|^authTokenRef$/, 'Secret', 'name'],
  [/^secret$/, 'Secret', 'secretName'],
  [/^configMapRef$|^caCertRef$|^configMapKeyRef$|^configMap$/, 'ConfigMap', 'name'],
  [/^pvcRef$|^persistentVolumeClaim$/, 'PersistentVolumeClaim', 'claimName'],
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
      const isName = typeof name === 'string' && name !== '' && name.length <= NAME_LIMIT;
      if (isName && found.size < REFERENCE_LIMIT) found.add(`${kind}/${name}`);
    }
  });
}
