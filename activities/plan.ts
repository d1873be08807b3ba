import { hash } from 'node:crypto';
import { formatFault, joinFaults, parseWithFaults } from '#spec/spec-fault.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { InvalidSpec } from '#spec/sync-resources.js';
import type { SyncResources, WantedRegistry } from '#spec/sync-resources.js';
import { watchedObjects } from '#spec/source-needs.js';
import { clampedNotice } from '#domain/clamped-interval.js';
import type { Notice } from '#domain/notice.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryResource, ResourceStore } from '#domain/resource-store.js';
import { registryName } from '#domain/spec-fields.js';
import type { SourceOutline, SourcePlan } from '#domain/sync.js';
import { READER_VERSION } from '#sources/formats/reading.js';
import { findSource } from '#sources/index.js';

/** Parses the spec of a resource; returns its first errors as one message. */
export function readSpec({
  ref,
  spec,
}: Pick<RegistryResource, 'ref' | 'spec'>): { spec: RegistrySpec; notices: readonly Notice[] } | { invalid: string } {
  // The API server rejects such names, but an object may be older than that rule.
  const named = parseWithFaults(registryName, ref.name, { root: ['metadata', 'name'] });
  const parsed = parseRegistrySpec(spec);
  if ('value' in named && 'spec' in parsed) return parsed;
  const faults = [named, parsed].flatMap((each) => ('faults' in each ? each.faults : []));
  return { invalid: joinFaults(faults.map(formatFault)) };
}

/** Returns the resource in the form that its syncs read. Throws `InvalidSpec` with the errors in its spec. */
export function toWanted(
  resource: Pick<RegistryResource, 'ref' | 'spec' | 'generation' | 'triggerToken'>,
): WantedRegistry {
  const read = readSpec(resource);
  if ('invalid' in read) throw new InvalidSpec(read.invalid, resource.generation);
  return { spec: read.spec, generation: resource.generation, triggerToken: resource.triggerToken };
}

/**
 * Reads a registry for code that cannot continue without it. Throws `Cancelled` if the resource is gone, and
 * `ConfigurationPending` while this process sees a generation older than `generation`, because an edit reaches
 * different processes at different times.
 */
export async function getWanted(
  resources: SyncResources,
  registry: RegistryRef,
  generation = 0,
): Promise<WantedRegistry> {
  const pending = () => configurationPending(`generation ${generation} of ${displayRef(registry)}`);
  const wanted = await resources.findWanted(registry).catch((error: unknown) => {
    throw error instanceof InvalidSpec && error.generation < generation ? pending() : error;
  });
  if (!wanted) throw new RegistryError('Cancelled', `${displayRef(registry)} is gone`, 'stop');
  if (wanted.generation < generation) throw pending();
  return wanted;
}

/**
 * Returns the error of a server that still has an older version of the spec than the workflow refers to. The condition
 * is temporary.
 */
export function configurationPending(what: string): RegistryError {
  return new RegistryError('ConfigurationPending', `${what} is not known to the registry server yet`, 'retry');
}

/**
 * Returns the part of a source that the workflow may know: its location, its interval, and hashes of everything else.
 */
export async function planSource(
  source: RegistrySource,
  namespace: string,
  resources: ResourceStore,
  minIntervalMs: number,
): Promise<SourcePlan> {
  return {
    ...outlineSource(source, minIntervalMs),
    referenceHash: await referenceHash(source, namespace, resources),
  };
}

/** Returns the part of a plan that follows from the spec alone. */
export function outlineSource(source: RegistrySource, minIntervalMs: number): SourceOutline {
  const definition = findSource(source.type);
  return {
    name: source.name,
    type: source.type,
    address: definition?.address(source.spec) ?? source.type,
    format: source.format,
    ...planInterval(source.intervalMs, minIntervalMs),
    specHash: `${READER_VERSION}:${digest([source.type, source.spec, source.format, source.defaultNamespace])}`,
    filterHash: digest(source.filter ?? {}),
    ...(source.builtIn && { builtIn: true }),
    ...(definition?.shape === 'file' && definition.mayBeEmpty && { mayBeEmpty: true }),
  };
}

/** Reports whether two spec hashes are of the same spec, even if different versions of the reader computed them. */
export function isSameSpec(stored: string | null, planned: string): boolean {
  return stored !== null && afterColon(stored) === afterColon(planned);
}

function afterColon(specHash: string): string {
  return specHash.slice(specHash.indexOf(':') + 1);
}

/** Raises an interval to the site's minimum. */
function planInterval(
  wantedMs: number | undefined,
  minIntervalMs: number,
): Pick<SourceOutline, 'intervalMs' | 'notice'> {
  if (wantedMs === undefined) return {};
  if (wantedMs >= minIntervalMs) return { intervalMs: wantedMs };
  return { intervalMs: minIntervalMs, notice: clampedNotice(wantedMs, minIntervalMs) };
}

async function referenceHash(source: RegistrySource, namespace: string, resources: ResourceStore): Promise<string> {
  const objects = new Map(watchedObjects(source).map(({ kind, name }) => [`${kind} ${name}`, { kind, name }]));
  const versions = await Promise.all(
    [...objects.values()].map(({ kind, name }) => resources.referenceVersion(kind, namespace, name)),
  );
  return versions.length === 0 ? '' : digest(versions.map((version) => version ?? null));
}

function digest(value: unknown): string {
  return hash('sha256', JSON.stringify(value)).slice(0, 32);
}
