import type { Notice, NoticeReason } from '../notice.js';
import type { Reason } from '../reasons.js';
import type { ServerTrouble, WorkloadFacts } from '../workload.js';

/** The known state of one source. Times are in milliseconds since 1970. */
export interface SourceFacts {
  readonly name: string;
  /** Whether it is the built-in source, which is in no spec. */
  readonly builtIn?: true;
  readonly running?: { readonly sinceMs: number; readonly manual: boolean };
  readonly lastAttemptAtMs?: number;
  readonly attemptCount: number;
  readonly lastSyncAtMs?: number;
  readonly lastSyncHash?: string;
  readonly revision?: string;
  readonly serverCount?: number;
  readonly quarantined?: number;
  /** Names of the first quarantined entries. */
  readonly quarantinedEntries?: readonly string[];
  /** Hash of the filter that was applied to the stored entries. */
  readonly filterHash?: string;
  readonly notices?: readonly Notice[];
  /** Failure of the last attempt. */
  readonly failure?: { readonly reason: Reason; readonly message: string };
  readonly nextSyncAtMs?: number;
}

/** The known state of a registry's server. */
export interface ServerFacts {
  readonly endpoint: string;
  /** Whether a podTemplateSpec of the user is in effect. */
  readonly podTemplate: boolean;
  /** Whether all objects match the current spec. */
  readonly provisioned: boolean;
  /** Address of the Temporal server, if the ready pods have not reached it for minutes. */
  readonly unreachedTemporal?: string;
  /** Hash of the last deployed pod template. */
  readonly podHash?: string;
  /** Failure of the last attempt to provision it. */
  readonly failure?: { readonly reason: Reason; readonly message: string; readonly notice?: NoticeReason };
  /** State of the Deployment, in which `live` refers to the last deployed pod template. */
  readonly workload?: WorkloadFacts;
  /** Why the server cannot store and serve yet, although it runs. */
  readonly delayed?: ServerTrouble<Reason>;
  readonly warnings: readonly Notice[];
}

/** The facts from which a status is computed. */
export interface RegistryFacts {
  readonly generation: number;
  readonly deleting: boolean;
  /** Errors of the spec, if it is invalid. */
  readonly invalid?: string;
  /** Notices about parts of the spec that have no effect. */
  readonly notices?: readonly Notice[];
  /** Whether at least one store is open, so that entries can be stored and served. */
  readonly serving: boolean;
  readonly handledTrigger?: string;
  readonly sources: readonly SourceFacts[];
  /** Absent if a server exists already, so that none is provisioned. */
  readonly server?: ServerFacts;
}

export function hasSynced(source: SourceFacts): boolean {
  return source.lastSyncAtMs !== undefined;
}

/**
 * Returns the sources worth reporting. A built-in source is included if it serves something, fails, or is the only one.
 */
export function reportedSources(sources: readonly SourceFacts[]): readonly SourceFacts[] {
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
