import { dirname } from 'node:path/posix';
import { PROVIDER_OBJECTS } from '#identity/provider-spec.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import { certificateFile, secretFile, sourceFile } from '#spec/pod-paths.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { mountOf, objectsOf } from '#spec/source-needs.js';
import { referredKeys } from '#domain/object-field.js';
import type { ObjectKey } from '#domain/object-field.js';
import type { Blueprint } from './blueprint.js';
import type { Fields } from '#domain/fields.js';
import { volumeName } from './naming.js';
import { runsAsOurAccount } from './own-account.js';

/** A volume of the pod and its mount path in the server. */
export interface PodFile {
  readonly volume: Fields & { readonly name: string };
  readonly mountPath: string;
}

/**
 * Returns the objects that a typed spec refers to and that are mounted as files. A `configYAML` brings volumes of its
 * own, so it has none.
 */
export function referredObjects(spec: RegistrySpec): {
  readonly sources: readonly (ObjectKey & { readonly type: string })[];
  readonly providers: readonly ObjectKey[];
  readonly webhooks: readonly ObjectKey[];
  readonly database: readonly ObjectKey[];
} {
  if (spec.raw) return { sources: [], providers: [], webhooks: [], database: [] };
  const providers = spec.auth.mode === 'oauth' ? spec.auth.oauth.providers : [];
  const { caCertRef } = spec.databaseConfig ?? {};
  return {
    sources: spec.registries.flatMap((source) => objectsOf(source).map((key) => ({ ...key, type: source.type }))),
    providers: providers.flatMap((provider) => referredKeys(PROVIDER_OBJECTS, provider)),
    webhooks: (spec.webhooks ?? []).map(({ secretRef: { name, key } }) => ({ kind: 'Secret', name, key })),
    database: caCertRef ? [{ kind: 'ConfigMap', name: caCertRef.name, key: caCertRef.key }] : [],
  };
}

/**
 * Returns volumes for all objects that the spec refers to. They are optional, so a missing object does not delay the
 * pod and affects only the code that reads it.
 */
export function toPodFiles({ spec, claims }: Blueprint): PodFile[] {
  if (spec.raw) return [];
  const { sources, providers, webhooks, database } = referredObjects(spec);
  const objects = [...sources, ...providers, ...webhooks, ...database];
  const readers = new Map(sources.map(({ name, type }) => [name, type]));
  return [
    ...spec.registries.flatMap((source) => sourceVolume(source, { claims, asksApi: runsAsOurAccount(spec) })),
    ...byObject(objects, 'Secret').map(([secretName, items]) => ({
      volume: {
        name: volumeName(readers.has(secretName) ? `${readers.get(secretName)}-auth` : 'auth', secretName),
        secret: { secretName, items, optional: true },
      },
      mountPath: dirname(secretFile({ name: secretName, key: '-' })),
    })),
    ...byObject(objects, 'ConfigMap').map(([name, items]) => ({
      volume: { name: volumeName('ca', name), configMap: { name, items, optional: true } },
      mountPath: dirname(certificateFile({ name, key: '-' })),
    })),
  ];
}

interface PodState {
  readonly claims: Blueprint['claims'];
  /** Whether the server reads ConfigMaps from the Kubernetes API. */
  readonly asksApi: boolean;
}

/**
 * Returns the volume of a source, if it needs one. A claim that does not exist is not mounted, because it would delay
 * the whole pod; only its source waits. A ConfigMap is mounted only if the pod may not use the Kubernetes API: a mount
 * lags by up to a minute, and each added or removed source would need new pods.
 */
function sourceVolume(source: RegistrySource, { claims, asksApi }: PodState): PodFile[] {
  const mount = mountOf(source);
  if (!mount) return [];
  if ('claim' in mount) {
    const { claim: claimName } = mount;
    return claims[claimName]
      ? [sourceFileOf(source.name, { persistentVolumeClaim: { claimName, readOnly: true } })]
      : [];
  }
  if (asksApi) return [];
  const { configMap, file: path } = mount;
  const { name, key } = configMap;
  const items = key === undefined ? {} : { items: [{ key, path }] };
  return [sourceFileOf(source.name, { configMap: { name, ...items, optional: true } })];
}

function sourceFileOf(source: string, volume: Fields): PodFile {
  return {
    volume: { name: volumeName('registry-data-source', source), ...volume },
    mountPath: dirname(sourceFile(source, '-')),
  };
}

/** Groups the references by object: each object becomes one volume with all of its keys that are read. */
function byObject(refs: readonly ObjectKey[], wanted: ObjectKey['kind']): [string, { key: string; path: string }[]][] {
  const keys = new Map<string, Set<string>>();
  for (const { kind, name, key } of refs) {
    if (kind === wanted) keys.set(name, (keys.get(name) ?? new Set()).add(key));
  }
  return [...keys].map(([name, each]) => [name, [...each].map((key) => ({ key, path: key }))]);
}
