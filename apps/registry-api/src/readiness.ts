import { displayRef } from '#domain/registry-ref.js';
import { openPart } from './auth/open-part.js';
import { withheldIn } from './catalogue/live-catalogue.js';
import type { RegistrySnapshots } from './catalogue/live-catalogue.js';
import type { ServedRegistry } from './served-registry.js';

export type ReadinessReport =
  /** `detail` says what is not as it should be although requests are answered. */
  { readonly ready: true; readonly detail?: string } | { readonly ready: false; readonly reason: string };

/** How long a pod that is alone waits for the first sync of every source before it is ready. */
const PATIENCE_MS = 30_000;

/** In one line. */
const NAMED_SOURCES = 5;

export interface ReadinessFacts {
  readonly snapshots: RegistrySnapshots | undefined;
  /** Why the catalogue may be out of date. */
  readonly fault: string | undefined;
  /** Since when no syncs can be run. */
  readonly syncsAwaySince: Date | undefined;
  /** Since when the database takes no writes. */
  readonly readOnlySince?: Date | undefined;
  /** How many sources another pod of the registry has the content of; 0 without such a pod, undefined until that is known. */
  readonly syncedElsewhere: number | undefined;
  readonly registries: readonly ServedRegistry[];
  /** Registries of which an identity provider is unavailable or misconfigured, as `namespace/name`. */
  readonly providerFaults: readonly string[];
}

/**
 * Ready once the catalogue is loaded and every source has been synced into this store. While another pod serves the content
 * of more sources, nothing else makes this pod ready: it would take that pod's place. A pod that is alone is ready once every source has been
 * tried, at the latest 30 s after the start. Ready from then on until the end, whatever becomes of the database, of Temporal, of
 * sources or of registries that are added.
 */
export class Readiness {
  #wasReady = false;
  #closing = false;
  readonly #startedAt = performance.now();
  readonly #facts: () => ReadinessFacts;

  constructor(facts: () => ReadinessFacts) {
    this.#facts = facts;
  }

  /** No new requests, please. */
  close(): void {
    this.#closing = true;
  }

  /** What has not been loaded, set up or tried yet, however long that has been so. */
  awaited(): string | undefined {
    const { snapshots, fault, registries } = this.#facts();
    return snapshots ? firstAwaited(snapshots, registries) : unloaded(fault);
  }

  /** The number of sources that this process has the content of. */
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
        ? [`no syncs since ${facts.syncsAwaySince.toISOString()}: their workflow cannot be reached`]
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
    { registries, syncedElsewhere }: ReadinessFacts,
    snapshots: RegistrySnapshots,
    awaited: string | undefined,
  ): string | undefined {
    const unsynced = firstUnsynced(snapshots, registries);
    if (unsynced === undefined) return undefined;
    if (awaited !== undefined && performance.now() - this.#startedAt < PATIENCE_MS) return awaited;
    if (syncedElsewhere === undefined) return `${unsynced}; looking for other pods of the registry`;
    return syncedElsewhere > countSynced(snapshots, registries)
      ? `${unsynced}; another pod serves its content meanwhile`
      : undefined;
  }
}

/** The number of sources that this process has the content of. */
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

/** By name, and that only where anybody may read them: probes are answered to everybody. */
function display(source: string, registry: ServedRegistry): string {
  const { auth } = registry;
  const isOpen = auth.mode === 'anonymous' || openPart(auth.publicRead, registry.views)?.sources.has(source) === true;
  return `${isOpen ? `source "${source}"` : 'a source'} of ${displayRef(registry)}`;
}

/** What is wrong with them is for those who may see it. */
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
        `${entries} entries exceed the memory for the catalogue and are not served; raise the memory limit of the server`,
      ];
}

function listed(names: readonly string[]): string {
  const more = names.length > NAMED_SOURCES ? ` and ${names.length - NAMED_SOURCES} more` : '';
  return `${names.slice(0, NAMED_SOURCES).join(', ')}${more}`;
}
