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
 * A field of a spec that refers to a key of an object. The pod of a registry has that key as a file: a Secret's below
 * `/secrets`, and that of a ConfigMap, which is a certificate, below `/config/certs`.
 */
export interface ObjectField {
  /** The names that lead from the block to the field: `['auth', 'passwordSecretRef']`. */
  readonly path: readonly [string, ...string[]];
  readonly kind: ObjectKey['kind'];
  /** The name of the field beside it that names a file instead, and takes precedence. */
  readonly fileField?: string;
}

/** Returns the objects that a validated block refers to. */
export function referredKeys(fields: readonly ObjectField[], block: unknown): ObjectKey[] {
  return fields.flatMap(({ path, kind }) => {
    const ref = path.reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), block);
    if (!isFields(ref)) return [];
    const { name, key } = ref as Fields & KeyRef;
    return [{ kind, name, key }];
  });
}

/** Returns a copy of the block in which `change` has replaced the object that holds the field; other values stay as they are. */
export function mapOwner(block: unknown, { path }: ObjectField, change: (owner: Fields) => Fields): unknown {
  return mapAt(block, path.slice(0, -1), change);
}

function mapAt(value: unknown, [name, ...rest]: readonly string[], change: (owner: Fields) => Fields): unknown {
  if (!isFields(value)) return value;
  if (name === undefined) return change(value);
  return value[name] === undefined ? value : { ...value, [name]: mapAt(value[name], rest, change) };
}

/** Returns the value of the field that names a file, and the path to it. */
export function namedFile(
  { path, fileField }: ObjectField,
  block: unknown,
): { readonly path: readonly string[]; readonly file: string } | undefined {
  if (fileField === undefined) return undefined;
  const at = [...path.slice(0, -1), fileField];
  const file = at.reduce<unknown>((value, name) => (isFields(value) ? value[name] : undefined), block);
  return typeof file === 'string' ? { path: at, file } : undefined;
}
