import type { Notice, NoticeReason } from '../notice.js';
import type { Reason } from '../reasons.js';
import type { ServerTrouble, WorkloadFacts } from '../workload.js';

/** The known state of one source; times in milliseconds since 1970. */
export interface SourceFacts {
  readonly name: string;
  /** It is in no spec. */
  readonly builtIn?: true;
  readonly running?: { readonly sinceMs: number; readonly manual: boolean };
  readonly lastAttemptAtMs?: number;
  readonly attemptCount: number;
  readonly lastSyncAtMs?: number;
  readonly lastSyncHash?: string;
  readonly revision?: string;
  readonly serverCount?: number;
  readonly quarantined?: number;
  /** The first of these. */
  readonly quarantinedEntries?: readonly string[];
  /** The hash of the filter that was applied to the stored entries. */
  readonly filterHash?: string;
  readonly notices?: readonly Notice[];
  /** The failure of the last attempt. */
  readonly failure?: { readonly reason: Reason; readonly message: string };
  readonly nextSyncAtMs?: number;
}

/** The known state of the server that runs for a registry. */
export interface ServerFacts {
  readonly endpoint: string;
  /** A podTemplateSpec of the user is in effect. */
  readonly podTemplate: boolean;
  /** Everything stands as the spec wants it now. */
  readonly provisioned: boolean;
  /** Address of the Temporal server that the ready pods have not reached for minutes. */
  readonly unreachedTemporal?: string;
  /** Hash of the pod template that was deployed last. */
  readonly podHash?: string;
  /** The failure of the last attempt to provision it. */
  readonly failure?: { readonly reason: Reason; readonly message: string; readonly notice?: NoticeReason };
  /** `live` is about the pod template that was deployed last. */
  readonly workload?: WorkloadFacts;
  /** It runs, but cannot store and serve yet. */
  readonly delayed?: ServerTrouble<Reason>;
  readonly warnings: readonly Notice[];
}

/** All that decides a status. */
export interface RegistryFacts {
  readonly generation: number;
  readonly deleting: boolean;
  /** Set when the spec cannot be followed. */
  readonly invalid?: string;
  /** Notices about parts of the spec that have no effect. */
  readonly notices?: readonly Notice[];
  /** At least one store is open, so that entries can be stored and served. */
  readonly serving: boolean;
  readonly handledTrigger?: string;
  readonly sources: readonly SourceFacts[];
  /** Absent where a server stands already. */
  readonly server?: ServerFacts;
}

export function hasSynced(source: SourceFacts): boolean {
  return source.lastSyncAtMs !== undefined;
}

/** Returns the sources worth reporting: a built-in source counts when it serves something, fails, or is the only one. */
export function worthAWord(sources: readonly SourceFacts[]): readonly SourceFacts[] {
  const shown = sources.filter(
    ({ builtIn, failure, serverCount = 0, quarantined = 0 }) => !builtIn || failure || serverCount + quarantined > 0,
  );
  return shown.length > 0 ? shown : sources;
}

export function noticesOf({ notices = [], sources, server }: RegistryFacts): Notice[] {
  const ofSources = sources.flatMap(({ name, notices: own = [] }) =>
    own.map(({ reason, message }) => ({ reason, message: `${name}: ${message}` })),
  );
  return [...notices, ...ofSources, ...(server?.warnings ?? [])];
}

export function sum(sources: readonly SourceFacts[], pick: (source: SourceFacts) => number | undefined): number {
  return sources.reduce((total, source) => total + (pick(source) ?? 0), 0);
}
