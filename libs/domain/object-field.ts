import { isFields } from './fields.js';
import type { Fields } from './fields.js';

/** A key of a ConfigMap or Secret in the namespace of a registry. */
export interface KeyRef {
  readonly name: string;
  readonly key: string;
}

/** A key of an object, with the kind of the object. */
export interface ObjectKey extends KeyRef {
  readonly kind: 'Secret' | 'ConfigMap';
}

/**
 * A field of a spec that refers to a key of an object. The key is mounted as a file in the registry's pod: below
 * `/secrets` for a Secret, and below `/config/certs` for a ConfigMap, which contains a certificate.
 */
export interface ObjectField {
  /** Field names from the block to the field: `['auth', 'passwordSecretRef']`. */
  readonly path: readonly [string, ...string[]];
  readonly kind: ObjectKey['kind'];
  /** Name of the sibling field that contains a file path instead, and takes precedence. */
  readonly fileField?: string;
}

/** Returns the keys of objects that a validated block refers to. */
export function referredKeys(fields: readonly ObjectField[], block: unknown): ObjectKey[] {
  return fields.flatMap(({ path, kind }) => {
    const ref = path.reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), block);
    if (!isFields(ref)) return [];
    const { name, key } = ref as Fields & KeyRef;
    return [{ kind, name, key }];
  });
}

/** Returns the file path in the sibling field, and the path to that field; undefined if it is not set. */
export function namedFile(
  { path, fileField }: ObjectField,
  block: unknown,
): { readonly path: readonly string[]; readonly file: string } | undefined {
  if (fileField === undefined) return undefined;
  const at = [...path.slice(0, -1), fileField];
  const file = at.reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), block);
  return typeof file === 'string' ? { path: at, file } : undefined;
}
