import { dirname } from 'node:path/posix';
import type { RegistrySpec } from '#config/registry-spec.js';
import { certificateFile, secretFile, sourceFile } from '#config/pod-paths.js';
import type { RegistrySource } from '#config/source-entry-spec.js';
import type { GitSpec } from '#sources/git.source.js';
import type { Blueprint } from './blueprint.js';
import type { Fields } from './fields.js';
import { volumeName } from './naming.js';
import { runsAsOurAccount } from './own-account.js';

/** A volume of the pod, and where the server has it. */
export interface PodFile {
  readonly volume: Fields & { readonly name: string };
  readonly mountPath: string;
}

interface KeyRef {
  readonly name: string;
  readonly key: string;
}

/** The objects that a typed spec refers to and that the server reads as files. A `configYAML` comes with volumes of its own. */
export function referredFiles(spec: RegistrySpec): {
  readonly gitSecrets: readonly KeyRef[];
  readonly authSecrets: readonly KeyRef[];
  readonly hookSecrets: readonly KeyRef[];
  readonly certificates: readonly KeyRef[];
} {
  if (spec.raw) return { gitSecrets: [], authSecrets: [], hookSecrets: [], certificates: [] };
  const gits = spec.registries.flatMap(({ type, spec: block }) => (type === 'git' ? [block as GitSpec] : []));
  const providers = spec.auth.mode === 'oauth' ? spec.auth.oauth.providers : [];
  return {
    gitSecrets: present(
      gits.flatMap(({ auth }) => [auth?.passwordSecretRef, auth?.sshKeySecretRef, auth?.knownHostsSecretRef]),
    ),
    authSecrets: present(providers.flatMap(({ clientSecretRef, authTokenRef }) => [clientSecretRef, authTokenRef])),
    hookSecrets: (spec.webhooks ?? []).map(({ secretRef }) => secretRef),
    certificates: present([
      ...gits.map(({ caCertRef }) => caCertRef),
      ...providers.map(({ caCertRef }) => caCertRef),
      spec.databaseConfig?.caCertRef,
    ]),
  };
}

/** Volumes for all that the spec refers to. None of them holds the pod up: what is missing is missed by its reader alone. */
export function toPodFiles({ spec, claims }: Blueprint): PodFile[] {
  if (spec.raw) return [];
  const { gitSecrets, authSecrets, hookSecrets, certificates } = referredFiles(spec);
  const ofGit = new Set(gitSecrets.map(({ name }) => name));
  return [
    ...(runsAsOurAccount(spec) ? [] : spec.registries.flatMap(configMapVolume)),
    ...spec.registries.flatMap((source) => claimVolume(source, claims)),
    ...byObject([...gitSecrets, ...authSecrets, ...hookSecrets]).map(([secretName, items]) => ({
      volume: {
        name: volumeName(ofGit.has(secretName) ? 'git-auth' : 'auth', secretName),
        secret: { secretName, items, optional: true },
      },
      mountPath: dirname(secretFile({ name: secretName, key: '-' })),
    })),
    ...byObject(certificates).map(([name, items]) => ({
      volume: { name: volumeName('ca', name), configMap: { name, items, optional: true } },
      mountPath: dirname(certificateFile({ name, key: '-' })),
    })),
  ];
}

/**
 * Only for a pod that may not ask the API: a mount lags by a minute, and other pods would be needed for each source that comes
 * or goes.
 */
function configMapVolume({ name, type, spec }: RegistrySource): PodFile[] {
  if (type !== 'configMapRef') return [];
  const ref = spec as KeyRef;
  const items = [{ key: ref.key, path: 'registry.json' }];
  return [sourceFileOf(name, { configMap: { name: ref.name, items, optional: true } })];
}

/** A claim that does not exist would hold the whole pod up: its source waits instead. */
function claimVolume({ name, type, spec }: RegistrySource, claims: Blueprint['claims']): PodFile[] {
  if (type !== 'pvcRef') return [];
  const { claimName } = spec as { claimName: string };
  if (!claims[claimName]) return [];
  return [sourceFileOf(name, { persistentVolumeClaim: { claimName, readOnly: true } })];
}

function sourceFileOf(source: string, volume: Fields): PodFile {
  return {
    volume: { name: volumeName('registry-data-source', source), ...volume },
    mountPath: dirname(sourceFile(source, '-')),
  };
}

/** Groups the references by object: each object becomes one volume, with every key of it that is read. */
function byObject(refs: readonly KeyRef[]): [string, { key: string; path: string }[]][] {
  const keys = new Map<string, Set<string>>();
  for (const { name, key } of refs) keys.set(name, (keys.get(name) ?? new Set()).add(key));
  return [...keys].map(([name, each]) => [name, [...each].map((key) => ({ key, path: key }))]);
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}
