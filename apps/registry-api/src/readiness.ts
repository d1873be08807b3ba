import { displayRef } from '#domain/registry-ref.js';
import type { RegistrySnapshots } from './catalogue/live-catalogue.js';
import type { ServedRegistry } from './served-registry.js';

export type ReadinessReport =
  /** `detail` says what is not as it should be although requests are answered. */
  { readonly ready: true; readonly detail?: string } | { readonly ready: false; readonly reason: string };

/** How long requests are held back for the first sync of every source. */
const PATIENCE_MS = 30_000;

export interface ReadinessFacts {
  readonly snapshots: RegistrySnapshots | undefined;
  /** Why the catalogue may be out of date. */
  readonly fault: string | undefined;
  readonly registries: readonly ServedRegistry[];
}

/**
 * Ready once the catalogue is loaded and every source has been tried, at the latest 30 s after the start; from then on
 * until the end, whatever becomes of the database or of registries that are added.
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

  report(): ReadinessReport {
    if (this.#closing) return { ready: false, reason: 'shutting down' };
    const facts = this.#facts();
    if (!facts.snapshots) return { ready: false, reason: facts.fault ?? 'the catalogue is being loaded' };
    const awaited = this.#wasReady ? undefined : firstAwaited(facts.snapshots, facts.registries);
    if (awaited && performance.now() - this.#startedAt < PATIENCE_MS) return { ready: false, reason: awaited };
    this.#wasReady = true;
    const detail = facts.fault ? `serving what was last read from the database (${facts.fault})` : awaited;
    return { ready: true, ...(detail ? { detail } : {}) };
  }
}

function firstAwaited(snapshots: RegistrySnapshots, registries: readonly ServedRegistry[]): string | undefined {
  for (const registry of registries) {
    const snapshot = snapshots.get(displayRef(registry));
    if (!snapshot) return `waiting for registry ${displayRef(registry)} to be set up`;
    const source = snapshot.sources.find(({ attempted }) => !attempted);
    if (source) return `waiting for the first sync of source "${source.name}" of ${displayRef(registry)}`;
  }
  return undefined;
}
