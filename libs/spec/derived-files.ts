import { isDeepStrictEqual } from 'node:util';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';
import { mapOwner } from '#domain/object-field.js';
import type { ObjectField } from '#domain/object-field.js';
import { findSource } from '#sources/index.js';
import { PROVIDER_OBJECTS } from '#identity/provider-spec.js';
import { certificateFile, secretFile, sourceFile } from './pod-paths.js';

/*
 * Where an MCPRegistry refers to an object, the configuration of a server names a file. What is rendered says both: the
 * object, which is what is meant, and the file in which the pod has it, for a server that knows nothing of objects (that of a
 * ConfigMap source is there only in a pod that may not ask the cluster). Reading drops such a file again.
 */

/** Changes one field of `owner` that names the file `file`. */
type Change = (owner: Fields, field: string, file: unknown) => Fields;

/** A file that is named already takes precedence. */
const add: Change = (owner, field, file) => (owner[field] === undefined ? { ...owner, [field]: file } : owner);

const drop: Change = (owner, field, file) => {
  const { [field]: named, ...others } = owner;
  return isDeepStrictEqual(named, file) ? others : owner;
};

function changeObjects(change: Change, fields: readonly ObjectField[], block: unknown): unknown {
  return fields.reduce((before, field) => {
    const { kind, fileField, path } = field;
    if (fileField === undefined) return before;
    return mapOwner(before, field, (owner) => {
      const ref = owner[path.at(-1) as string];
      if (!isFields(ref)) return owner;
      const toFile = kind === 'Secret' ? secretFile : certificateFile;
      return change(owner, fileField, toFile({ name: text(ref['name']), key: text(ref['key']) }));
    });
  }, block);
}

/** Works on values of any shape: when a configuration is read, its sources are not validated yet. */
const onSource = (change: Change) => (source: unknown) => {
  if (!isFields(source)) return source;
  const changed: Record<string, unknown> = { ...source };
  const files: unknown[] = [];
  for (const [block, value] of Object.entries(source)) {
    const definition = findSource(block);
    if (!definition || !isFields(value)) continue;
    if (definition.objects) changed[block] = changeObjects(change, definition.objects, value);
    const parsed = definition.mount && definition.spec.safeParse(value);
    const mount = parsed?.success ? definition.mount?.(parsed.data) : undefined;
    if (mount) files.push({ path: sourceFile(text(source['name']), mount.file) });
  }
  return files.reduce<Fields>((owner, file) => change(owner, 'file', file), changed);
};

const onAuth = (change: Change) => (auth: unknown) => {
  if (!isFields(auth) || !isFields(auth['oauth']) || !Array.isArray(auth['oauth']['providers'])) return auth;
  const providers = auth['oauth']['providers'].map((provider) => changeObjects(change, PROVIDER_OBJECTS, provider));
  return { ...auth, oauth: { ...auth['oauth'], providers } };
};

export const addSourceFiles = onSource(add);
export const dropSourceFiles = onSource(drop);
export const addAuthFiles = onAuth(add);
export const dropAuthFiles = onAuth(drop);

/** Leaves values that are not text to the schema, which reports them. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
