import { databaseOnDefault } from '#config/default-database.js';
import type { RegistrySpec } from '#config/registry-spec.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryResource } from '#domain/resource-store.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { ProvisionPlan } from '../contract.js';
import { readSpec } from '../plan.js';
import { typedDatabase } from './desired/blueprint.js';
import type { Blueprint } from './desired/blueprint.js';
import { claimOf } from './desired/deployment.js';
import { digestOf, isFields } from './desired/fields.js';
import { names } from './desired/naming.js';
import { referredFiles } from './desired/pod-files.js';
import { PGPASS_KEY } from './desired/secrets.js';
import type { ProvisionWorld } from './provision-world.js';
import { readHookNotices } from './hook-notices.js';
import { withDiscovery } from './with-discovery.js';

/** What is to be made for a registry now. Throws when the resource is gone, is another by now, or says nothing to follow. */
export async function readBlueprint(world: ProvisionWorld, registry: RegistryRef): Promise<Blueprint> {
  const resource = await world.resources.findRegistry(registry);
  if (!resource || resource.deleting) throw new RegistryError('Cancelled', `${displayRef(registry)} is gone`, 'stop');
  const read = readSpec(resource);
  if ('invalid' in read) throw new RegistryError('ValidationFailed', read.invalid, 'stop');
  return toBlueprint(world, resource, read.spec);
}

export async function toBlueprint(
  world: ProvisionWorld,
  { ref: registry, generation, triggerToken }: Pick<RegistryResource, 'ref' | 'generation' | 'triggerToken'>,
  written: RegistrySpec,
): Promise<Blueprint> {
  const { settings } = world;
  const fallback = written.raw || written.databaseConfig ? undefined : settings.defaultDatabase;
  const database = fallback ? { databaseConfig: databaseOnDefault(fallback, registry) } : {};
  const spec = withDiscovery({ ...written, ...database }, settings);
  const ownPassword = { kind: 'Secret', name: names.pgpass(registry.name), key: PGPASS_KEY } as const;
  const refs = [...readAtStart(spec), ...(fallback ? [ownPassword] : [])];
  const versions = await Promise.all(refs.map((ref) => versionOf(world, registry, ref)));
  const hookNotices = await readHookNotices(world, registry, spec);
  const claims = await Promise.all(claimNames(spec).map((name) => findClaim(world, registry, name)));
  return {
    registry,
    generation,
    ...(triggerToken !== undefined && { triggerToken }),
    spec,
    settings,
    versions: Object.fromEntries(versions),
    hookNotices,
    claims: Object.fromEntries(claims.flat()),
  };
}

/** What a workflow may know of a blueprint. */
export function toProvisionPlan({
  generation,
  triggerToken,
  spec,
  settings,
  versions,
  claims,
  hookNotices = [],
}: Blueprint): ProvisionPlan {
  return {
    digest: digestOf([
      generation,
      spec,
      settings,
      Object.entries(versions).toSorted(),
      Object.entries(claims).toSorted(),
      ...hookNotices,
    ]),
    podTemplate: spec.podTemplateSpec !== undefined,
    ...(triggerToken !== undefined && { triggerToken }),
  };
}

interface KeyRef {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
  readonly key: string;
}

/** What the server reads when it starts, or has mounted for good. */
function readAtStart(spec: RegistrySpec): KeyRef[] {
  const { gitSecrets, authSecrets, certificates } = referredFiles(spec);
  const database = typedDatabase(spec);
  const secrets = [
    ...gitSecrets,
    ...authSecrets,
    database?.dbAppUserPasswordSecretRef,
    database?.dbMigrationUserPasswordSecretRef,
    spec.raw?.pgpassSecretRef,
  ];
  return [
    ...secrets.flatMap((ref) => (ref ? [{ kind: 'Secret' as const, name: ref.name, key: ref.key }] : [])),
    ...certificates.map(({ name, key }) => ({ kind: 'ConfigMap' as const, name, key })),
  ];
}

interface DataObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/**
 * Moves with the value alone, not with the labels of the object: other pods are made when it does. The uid, which only they
 * know who may read the value as well, keeps it from being guessed by its hash (docs/decisions/0013).
 */
async function versionOf(
  { api }: ProvisionWorld,
  { namespace }: RegistryRef,
  { kind, name, key }: KeyRef,
): Promise<[string, string | null]> {
  const object = await api.get<DataObject>(kind, namespace, name);
  const value = object?.data?.[key] ?? object?.binaryData?.[key];
  return [`${kind} ${name}, key ${key}`, object && value !== undefined ? digestOf([object.metadata.uid, value]) : null];
}

/** Returns the names of the claims that the sources and the volumes of the user refer to. */
function claimNames({ registries, raw, podTemplateSpec }: RegistrySpec): string[] {
  const ofSources = registries.flatMap(({ type, spec }) =>
    type === 'pvcRef' ? [(spec as { claimName: string }).claimName] : [],
  );
  const podSpec = podTemplateSpec?.['spec'];
  const volumes: unknown = isFields(podSpec) ? podSpec['volumes'] : [];
  const mounted = [...(raw?.volumes ?? []), ...(Array.isArray(volumes) ? volumes : [])].filter(isFields);
  return [...new Set([...ofSources, ...mounted.flatMap((volume) => claimOf(volume) ?? [])])];
}

interface Claim extends KubernetesObject {
  readonly spec?: { readonly accessModes?: readonly string[] };
}

async function findClaim(
  { api }: ProvisionWorld,
  { namespace }: RegistryRef,
  name: string,
): Promise<[string, readonly string[]][]> {
  const claim = await api.get<Claim>('PersistentVolumeClaim', namespace, name);
  return claim ? [[name, claim.spec?.accessModes ?? []]] : [];
}
