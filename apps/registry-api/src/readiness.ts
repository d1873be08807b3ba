import { displayRef } from '#domain/registry-ref.js';
import { openPart } from './auth/open-part.js';
import { withheldIn } from './catalogue/live-catalogue.js';
import type { RegistrySnapshots } from './catalogue/live-catalogue.js';
import type { ServedRegistry } from './served-registry.js';

export type ReadinessReport =
  /** `detail` describes problems that do not prevent requests from being served. */
  { readonly ready: true; readonly detail?: string } | { readonly ready: false; readonly reason: string };

/** How long a pod without peers waits for the first sync of every source before it becomes ready. */
const PATIENCE_MS = 30_000;

/** Maximum number of sources listed in one line of the report. */
const NAMED_SOURCES = 5;

export interface ReadinessFacts {
  readonly snapshots: RegistrySnapshots | undefined;
  /** Why the catalogue may be out of date. */
  readonly fault: string | undefined;
  /** Time since which syncs cannot run. */
  readonly syncsAwaySince: Date | undefined;
  /** Time since which the database is read-only. */
  readonly readOnlySince?: Date | undefined;
  /**
   * Number of sources that another pod of the registry has content for; 0 if there is no such pod, undefined until that
   * is known.
   */
  readonly syncedElsewhere: number | undefined;
  readonly registries: readonly ServedRegistry[];
  /** Registries with an unavailable or misconfigured identity provider, as `namespace/name`. */
  readonly providerFaults: readonly string[];
}

/**
 * Decides when this pod is ready.
 *
 * A pod is ready once the catalogue is loaded and every source has been synced into this store. While another pod
 * serves the content of more sources, nothing else makes this pod ready, because it would replace that pod. A pod that
 * is alone is ready once every source has been tried, and at the latest 30 s after its start, unless its database
 * cannot be used.
 *
 * Once ready, a pod stays ready until it stops, whatever happens to the database, to Temporal, to sources or to
 * registries that are added.
 */
export class Readiness {
  #wasReady = false;
  #closing = false;
  readonly #startedAt = performance.now();
  readonly #facts: () => ReadinessFacts;

  constructor(facts: () => ReadinessFacts) {
    this.#facts = facts;
  }

  /** Makes the pod unready, so that it gets no new requests. */
  close(): void {
    this.#closing = true;
  }

  /**
   * Returns what this process still waits to load, set up or try, regardless of how long it has waited; undefined if it
   * waits for nothing.
   */
  awaited(): string | undefined {
    const { snapshots, fault, registries } = this.#facts();
    return snapshots ? firstAwaited(snapshots, registries) : unloaded(fault);
  }

  /** Returns the number of sources whose content this process has. */
  syncedSources(): number {
    const { snapshots, registries } = this.#facts();
    return snapshots ? countSynced(snapshots, registries) : 0;
  }

  report(): ReadinessReport {
    if (this.#closing) return { ready: false, reason: 'shutting down' };
    const facts = this.#facts();
    if (!facts.snapshots) return { ready: false, reason: unloaded(facts.fault) };
    const awaited = this.#wasReady ? undefined : firstAwaited(facts.snapshots, facts.registries);
    const reason = this.#wasReady ? undefined : this.#reasonToWait(facts, facts.snapshots, awaited);
    if (reason !== undefined) return { ready: false, reason };
    this.#wasReady = true;
    const detail = [
      ...(facts.fault ? [`serving what was last read from the database (${facts.fault})`] : []),
      ...(facts.syncsAwaySince
        ? [`no syncs since ${facts.syncsAwaySince.toISOString()}: their workflow is unreachable`]
        : []),
      ...(facts.readOnlySince
        ? [`the database is read-only since ${facts.readOnlySince.toISOString()}, so nothing new is stored`]
        : []),
      ...faultyProviders(facts),
      ...(awaited ? [awaited] : failing(facts.snapshots, facts.registries)),
      ...withheld(facts.snapshots, facts.registries),
    ];
    return { ready: true, ...(detail.length > 0 && { detail: detail.join('; ') }) };
  }

  #reasonToWait(
    { registries, syncedElsewhere, fault }: ReadinessFacts,
    snapshots: RegistrySnapshots,
    awaited: string | undefined,
  ): string | undefined {
    const unsynced = firstUnsynced(snapshots, registries);
    if (unsynced === undefined) return undefined;
    // Nothing can be synced into an unusable database, such as one that belongs to another registry, so there is no
    // point in waiting for syncs.
    if (fault !== undefined) return fault;
    if (awaited !== undefined && performance.now() - this.#startedAt < PATIENCE_MS) return awaited;
    if (syncedElsewhere === undefined) return `${unsynced}; looking for other pods of the registry to copy from`;
    return syncedElsewhere > countSynced(snapshots, registries)
      ? `${unsynced}; another pod serves its content meanwhile`
      : undefined;
  }
}

/** Returns the number of sources whose content this process has. */
function countSynced(snapshots: RegistrySnapshots, registries: readonly ServedRegistry[]): number {
  const sources = registries.flatMap((registry) => snapshots.get(displayRef(registry))?.sources ?? []);
  return sources.filter(({ isSynced }) => isSynced).length;
}

function unloaded(fault: string | undefined): string {
  return fault ?? 'the catalogue is being loaded';
}

function firstAwaited(snapshots: RegistrySnapshots, registries: readonly ServedRegistry[]): string | undefined {
  for (const registry of registries) {
    const snapshot = snapshots.get(displayRef(registry));
    if (!snapshot) return `waiting for registry ${displayRef(registry)} to be set up`;
    const source = snapshot.sources.find(({ attempted }) => !attempted);
    if (source) return `waiting for the first sync of ${display(source.name, registry)}`;
  }
  return undefined;
}

function faultyProviders({ registries, providerFaults }: ReadinessFacts): string[] {
  const names = registries.map((registry) => displayRef(registry)).filter((name) => providerFaults.includes(name));
  if (names.length === 0) return [];
  return [`an identity provider of ${listed(names)} is unavailable or misconfigured: see the log`];
}

function firstUnsynced(snapshots: RegistrySnapshots, registries: readonly ServedRegistry[]): string | undefined {
  for (const registry of registries) {
    const { sources } = snapshots.get(displayRef(registry)) ?? {};
    if (!sources) return `waiting for registry ${displayRef(registry)} to be set up`;
    const source = sources.find(({ isSynced }) => !isSynced);
    if (source) return `waiting for a sync of ${display(source.name, registry)} to succeed`;
  }
  return undefined;
}

/**
 * Returns a description of a source. The name is included only if anybody may read the source, because probes need no
 * login.
 */
function display(source: string, registry: ServedRegistry): string {
  const { auth } = registry;
  const isOpen = auth.mode === 'anonymous' || openPart(auth.publicRead, registry.views)?.sources.has(source) === true;
  return `${isOpen ? `source "${source}"` : 'a source'} of ${displayRef(registry)}`;
}

/** Returns sentences about the failing sources. */
function failing(snapshots: RegistrySnapshots, registries: readonly ServedRegistry[]): string[] {
  const [synced, unsynced] = [true, false].map((isSynced) =>
    registries.flatMap((registry) =>
      (snapshots.get(displayRef(registry))?.sources ?? []).flatMap(({ name, isFailing, syncedAtMs }) =>
        isFailing && isSynced === (syncedAtMs !== null) ? [display(name, registry)] : [],
      ),
    ),
  ) as [string[], string[]];
  const verb = (names: readonly string[]) => (names.length > 1 ? 'fail' : 'fails');
  return [
    ...(synced.length > 0 ? [`serving what was last synced of ${listed(synced)}, which ${verb(synced)}`] : []),
    ...(unsynced.length > 0
      ? [`${listed(unsynced)} ${verb(unsynced)}, and ${unsynced.length > 1 ? 'were' : 'was'} never synced`]
      : []),
  ];
}

function withheld(snapshots: RegistrySnapshots, registries: readonly ServedRegistry[]): string[] {
  const entries = withheldIn(registries.flatMap((registry) => snapshots.get(displayRef(registry)) ?? []));
  return entries === 0
    ? []
    : [
        `${entries} entries exceed the memory budget of the catalogue and are not served; raise the memory limit of the server`,
      ];
}

function listed(names: readonly string[]): string {
  const more = names.length > NAMED_SOURCES ? ` and ${names.length - NAMED_SOURCES} more` : '';
  return `${names.slice(0, NAMED_SOURCES).join(', ')}${more}`;
}
