import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { DataDocument, Manifest, RegistryDocument } from './manifest.js';
import type { RegistryRecord } from './registry-record.js';

/** The content of the store: its registries, and the objects that they may refer to, by `kind/namespace/name`. */
export interface StoreState {
  /** The registries in the order of their documents, followed by those that are being deleted. */
  readonly registries: readonly RegistryRecord[];
  readonly data: ReadonlyMap<string, DataDocument>;
}

export const NOTHING: StoreState = { registries: [], data: new Map() };

type Name = Pick<RegistryRecord, 'namespace' | 'name'>;

const sameName = (a: Name) => (b: Name) => a.namespace === b.namespace && a.name === b.name;

export function dataKeyOf(kind: DataDocument['kind'], namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

/**
 * Returns the state after reading a manifest, as if it had been applied to a cluster. A valid document takes effect.
 * For an invalid one, the last valid version stays. A registry without a document is being deleted. Nothing counts as
 * removed because a file cannot be read. The name of a registry that is being deleted is free for a new registry only
 * after the old one has been released.
 */
export function adoptManifest(previous: StoreState, manifest: Manifest, newUid: () => string): StoreState {
  return {
    registries: adoptRegistries(previous.registries, manifest, newUid),
    data: adoptData(previous.data, manifest),
  };
}

function adoptRegistries(
  previous: readonly RegistryRecord[],
  manifest: Manifest,
  newUid: () => string,
): RegistryRecord[] {
  const { entries } = manifest;
  const documented = entries.filter((entry) => entry.kind === 'MCPRegistry');
  const deleting = previous.filter((record) => record.deleting);
  const living = previous.filter((record) => !record.deleting);
  const adopted: RegistryRecord[] = [];
  const keep = (records: readonly RegistryRecord[]) => {
    const further = records.filter((record) => !adopted.some(sameName(record)) && !documented.some(sameName(record)));
    adopted.push(...further);
  };

  for (const entry of entries) {
    if (entry.kind === 'MCPRegistry') {
      if (!deleting.some(sameName(entry))) adopted.push(edited(living.find(sameName(entry)), entry, newUid));
    } else if (entry.kind === 'Faulty' && entry.of === 'MCPRegistry') {
      keep(living.filter(sameName(entry)));
    } else if (entry.kind === 'Unreadable') {
      keep(living.filter(({ file }) => covers(entry.path, file)));
    }
  }
  const gone = living
    .filter((record) => !adopted.some(({ uid }) => uid === record.uid))
    .map((record): RegistryRecord => Object.assign({}, record, { deleting: true }));
  return [...adopted, ...deleting, ...gone];
}

function edited(before: RegistryRecord | undefined, document: RegistryDocument, newUid: () => string): RegistryRecord {
  const { namespace, name, file, spec, triggerToken } = document;
  const changed = !before || !isDeepStrictEqual(before.spec, spec);
  return {
    namespace,
    name,
    uid: before?.uid ?? newUid(),
    generation: (before?.generation ?? 0) + (changed ? 1 : 0),
    deleting: false,
    ...(triggerToken !== undefined && { triggerToken }),
    spec: changed ? spec : before.spec,
    file: resolve(file), // The next start may be in another directory.
  };
}

function adoptData(previous: StoreState['data'], { entries }: Manifest): StoreState['data'] {
  const kept = entries.flatMap((entry) => {
    if (entry.kind === 'Unreadable') return [...previous].filter(([, { file }]) => covers(entry.path, file));
    if (entry.kind !== 'Faulty' || entry.of === 'MCPRegistry') return [];
    const key = dataKeyOf(entry.of, entry.namespace, entry.name);
    const last = previous.get(key);
    return last ? [[key, last] as const] : [];
  });
  const documented = entries
    .filter((entry): entry is DataDocument => entry.kind === 'ConfigMap' || entry.kind === 'Secret')
    .map((entry) => [dataKeyOf(entry.kind, entry.namespace, entry.name), entry] as const);
  return new Map([...kept, ...documented]);
}

/** Returns whether the file is the path itself or directly in that directory. */
function covers(path: string, file: string): boolean {
  const [place, found] = [resolve(path), resolve(file)];
  return found === place || dirname(found) === place;
}

/**
 * Returns the registries with a changed spec, trigger, deletion state, or content of an object that the spec refers to.
 */
export function changedRegistries(before: StoreState, after: StoreState): RegistryRecord[] {
  const keys = new Set([...before.data.keys(), ...after.data.keys()]);
  const changedData = [...keys]
    .filter((key) => !isDeepStrictEqual(before.data.get(key)?.data, after.data.get(key)?.data))
    .map((key) => (after.data.get(key) ?? before.data.get(key))!);

  return after.registries.filter((record) => {
    const old = before.registries.find(({ uid }) => uid === record.uid);
    if (
      old?.generation !== record.generation ||
      old.triggerToken !== record.triggerToken ||
      old.deleting !== record.deleting
    ) {
      return true;
    }
    return changedData.some(({ namespace, name }) => namespace === record.namespace && refersTo(record.spec, name));
  });
}

/**
 * Returns whether a spec refers to an object of this name. Every reference is a field that ends in `Ref`. Kinds are not
 * distinguished, which at worst causes an unnecessary nudge.
 */
function refersTo(value: unknown, name: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([field, inner]) =>
      (field.endsWith('Ref') && (inner as { name?: unknown } | null)?.name === name) || refersTo(inner, name),
  );
}
