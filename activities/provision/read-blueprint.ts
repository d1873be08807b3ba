import type { Notice } from '#domain/notice.js';
import { databaseOnDefault, mostReaders } from '#spec/default-database.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import { mountOf } from '#spec/source-needs.js';
import type { ObjectKey } from '#domain/object-field.js';
import { ownMember } from '#domain/own-member.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryResource } from '#domain/resource-store.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { ProvisionPlan } from '../contract.js';
import { readSpec } from '../plan.js';
import { actingAs } from './acting-as.js';
import { versionKey } from './desired/blueprint.js';
import type { Blueprint } from './desired/blueprint.js';
import { claimOf } from './desired/deployment.js';
import { isFields } from '#domain/fields.js';
import { digestOf } from './desired/digest.js';
import { names } from './desired/naming.js';
import { referredObjects } from './desired/pod-files.js';
import { passwordKeys, PGPASS_KEY } from './desired/secrets.js';
import { asReason } from './ensure-object.js';
import type { ProvisionWorld } from './provision-world.js';
import { readHookNotices } from './hook-notices.js';
import { withDiscovery } from './with-discovery.js';

/** The objects to create for a registry, and the dependencies with the rights of the account that creates them. */
export interface Commission {
  readonly blueprint: Blueprint;
  readonly world: ProvisionWorld;
}

/**
 * Reads the current blueprint of a registry. Throws if the resource is gone, has been replaced by another, or has no
 * valid spec.
 */
export async function readBlueprint(operator: ProvisionWorld, registry: RegistryRef): Promise<Commission> {
  const resource = await operator.resources.findRegistry(registry);
  if (!resource || resource.deleting) throw new RegistryError('Cancelled', `${displayRef(registry)} is gone`, 'stop');
  const read = readSpec(resource);
  if ('invalid' in read) throw new RegistryError('ValidationFailed', read.invalid, 'stop');
  const world = actingAs(operator, registry, read.spec);
  return { blueprint: await asReason('RBACFailed', () => toBlueprint(world, resource, read.spec)), world };
}

export async function toBlueprint(
  world: ProvisionWorld,
  { ref: registry, generation, triggerToken }: Pick<RegistryResource, 'ref' | 'generation' | 'triggerToken'>,
  written: RegistrySpec,
): Promise<Blueprint> {
  const { cluster, settings } = world;
  const fallback = written.raw || written.databaseConfig ? undefined : settings.defaultDatabase;
  const database = fallback
    ? {
        databaseConfig: databaseOnDefault(fallback, registry),
        readers: Math.min(written.readers, mostReaders(fallback)),
      }
    : {};
  const spec = withDiscovery({ ...written, ...database }, settings);
  const refs = [...readAtStart(spec), ...(fallback ? [ownPassword(registry)] : [])];
  const versions = await Promise.all(refs.map((ref) => versionOf(world, registry, ref)));
  const hookNotices = [
    ...(await readHookNotices(world, registry, spec)),
    ...fewerReaders(written.readers, spec.readers),
  ];
  const claims = await Promise.all(claimNames(spec).map((name) => findClaim(world, registry, name)));
  return {
    registry,
    ...(cluster !== undefined && { cluster }),
    generation,
    ...(triggerToken !== undefined && { triggerToken }),
    spec,
    settings,
    versions: Object.fromEntries(versions),
    hookNotices,
    claims: Object.fromEntries(claims.flat()),
  };
}

function fewerReaders(asked: number, possible: number): Notice[] {
  if (asked <= possible) return [];
  const message =
    `server.readers is ${asked}, but the default database server has connections for only ${possible} readers of a registry: ` +
    'use a databaseConfig, or have the site raise defaultDatabase.connectionsPerRegistry';
  return [{ reason: 'ReadersNeedDatabase', message }];
}

function ownPassword({ name }: RegistryRef): ObjectKey {
  return { kind: 'Secret', name: names.pgpass(name), key: PGPASS_KEY };
}

/** Reads the version of the password again, which provisioning itself writes for a database on the default server. */
export async function withOwnPassword({ blueprint, world }: Commission): Promise<Commission> {
  const { registry, versions } = blueprint;
  const key = ownPassword(registry);
  if (!(versionKey(key) in versions)) return { blueprint, world };
  const [name, version] = await asReason('RBACFailed', () => versionOf(world, registry, key));
  return { blueprint: { ...blueprint, versions: { ...versions, [name]: version } }, world };
}

/** Returns the part of a blueprint that a workflow may know. */
export function toProvisionPlan({
  cluster,
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
      cluster ?? null,
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

/** Returns the objects that the server reads only at its start or has mounted. */
function readAtStart(spec: RegistrySpec): ObjectKey[] {
  const { sources, providers, database } = referredObjects(spec);
  return [...sources, ...providers, ...database, ...passwordKeys(spec)];
}

interface DataObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

/**
 * Returns the version of a value. It changes with the value, but not with the labels of the object, because a new
 * version means new pods. The hash includes the uid, which only those know who may read the value too, so that the
 * value cannot be guessed from its hash (docs/decisions/0013).
 */
async function versionOf(
  { api }: ProvisionWorld,
  { namespace }: RegistryRef,
  ref: ObjectKey,
): Promise<[string, string | null]> {
  const { kind, name, key } = ref;
  const version = await api.derived<DataObject, string | null>(
    { kind, namespace, name },
    `version of ${key}`,
    ({ metadata: { uid }, data, binaryData }) => {
      const value = ownMember(data, key) ?? ownMember(binaryData, key);
      return value === undefined ? null : digestOf([uid, value]);
    },
  );
  return [versionKey(ref), version ?? null];
}

/** Returns the names of the claims that the sources and the volumes of the user refer to. */
function claimNames({ registries, raw, podTemplateSpec }: RegistrySpec): string[] {
  const ofSources = registries.flatMap((source) => {
    const mount = mountOf(source);
    return mount && 'claim' in mount ? [mount.claim] : [];
  });
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
