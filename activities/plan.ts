import { hash } from 'node:crypto';
import { formatFault, joinFaults, parseWithFaults } from '#spec/spec-fault.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { watchedObjects } from '#spec/source-needs.js';
import { clampedNotice } from '#domain/clamped-interval.js';
import type { Notice } from '#domain/notice.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryResource, ResourceStore, SyncResources } from '#domain/resource-store.js';
import { registryName } from '#domain/spec-fields.js';
import type { SourceOutline, SourcePlan } from '#domain/sync.js';
import { READER_VERSION } from '#sources/formats/reading.js';
import { findSource } from '#sources/index.js';

/** Parses the spec of a resource; returns its first faults as one message. */
export function readSpec({
  ref,
  spec,
}: Pick<RegistryResource, 'ref' | 'spec'>): { spec: RegistrySpec; notices: readonly Notice[] } | { invalid: string } {
  // The API server refuses such names, but an object may be older than that rule.
  const named = parseWithFaults(registryName, ref.name, { root: ['metadata', 'name'] });
  const parsed = parseRegistrySpec(spec);
  if ('value' in named && 'spec' in parsed) return parsed;
  const faults = [named, parsed].flatMap((each) => ('faults' in each ? each.faults : []));
  return { invalid: joinFaults(faults.map(formatFault)) };
}

/** A registry as a server that syncs it reads it. */
export interface WantedRegistry {
  readonly spec: RegistrySpec;
  /** Value of the sync-trigger annotation. */
  readonly triggerToken: string | undefined;
}

/**
 * Reads the spec of a registry for code that cannot go on without one. Throws `Cancelled` when the resource is gone, and
 * `ConfigurationPending` while this process reads a generation older than `generation`: an edit reaches different processes
 * at different times.
 */
export async function getWanted(
  resources: SyncResources,
  registry: RegistryRef,
  generation = 0,
): Promise<WantedRegistry> {
  const resource = await resources.findRegistry(registry);
  if (!resource) throw new RegistryError('Cancelled', `${displayRef(registry)} is gone`, 'stop');
  if (resource.generation < generation) {
    throw configurationPending(`generation ${generation} of ${displayRef(registry)}`);
  }
  const read = readSpec(resource);
  if ('invalid' in read) throw new RegistryError('ValidationFailed', read.invalid, 'stop');
  return { spec: read.spec, triggerToken: resource.triggerToken };
}

/** The failure of a server that still reads an older version of what the workflow speaks of; it passes by itself. */
export function configurationPending(what: string): RegistryError {
  return new RegistryError('ConfigurationPending', `${what} has not reached the registry server yet`, 'retry');
}

/** Returns what the workflow may know of a source: where it is, how often it is due, and hashes of everything else. */
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
    specHash: digest([source.type, source.spec, source.format, READER_VERSION, source.defaultNamespace]),
    filterHash: digest(source.filter ?? {}),
    ...(source.builtIn && { builtIn: true }),
    ...(definition?.shape === 'file' && definition.mayBeEmpty && { mayBeEmpty: true }),
  };
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
