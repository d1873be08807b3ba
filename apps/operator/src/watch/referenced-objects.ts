import { parse } from 'yaml';

/** `Kind/name`, in the namespace of whoever refers to it. */
export type Reference = `${'ConfigMap' | 'Secret' | 'PersistentVolumeClaim'}/${string}`;

/** Fields that refer to an object: what it is, and under which key its name stands. */
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

/**
 * The objects that a spec names, be it valid or not: in the fields that are ours, in a `configYAML`, and in volumes and containers
 * of a pod. One too many costs a look, one too few an edit that nobody notices; so it goes by the names of fields alone.
 */
export function referencedObjects(spec: unknown): ReadonlySet<Reference> {
  const found = new Set<Reference>();
  collect(spec, found);
  collect(parsed((spec as { configYAML?: unknown } | null | undefined)?.configYAML), found);
  return found;
}

/** What is wrong with it is told by who has to follow it. */
function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return parse(text, { logLevel: 'silent' });
  } catch {
    return undefined;
  }
}

function collect(value: unknown, found: Set<Reference>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [field, nested] of Object.entries(value)) {
    for (const [pattern, kind, nameField] of FIELDS) {
      if (!pattern.test(field)) continue;
      const name: unknown = (nested as Record<string, unknown> | null)?.[nameField];
      if (typeof name === 'string' && name) found.add(`${kind}/${name}`);
    }
    collect(nested, found);
  }
}
