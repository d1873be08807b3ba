import type { Notice, NoticeReason } from '../notice.js';
import type { Reason } from '../reasons.js';
import type { ServerTrouble, WorkloadFacts } from '../workload.js';

/** What is known of one source; times in milliseconds since 1970. */
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
  /** Of the filter that what is stored is marked by. */
  readonly filterHash?: string;
  readonly notices?: readonly Notice[];
  /** Of the last attempt. */
  readonly failure?: { readonly reason: Reason; readonly message: string };
  readonly nextSyncAtMs?: number;
}

/** What is known of the server that is run for a registry. */
export interface ServerFacts {
  readonly endpoint: string;
  /** Whether a podTemplateSpec of the user takes part. */
  readonly podTemplate: boolean;
  /** Everything stands as the spec wants it now. */
  readonly provisioned: boolean;
  /** Hash of the pod template that was deployed last. */
  readonly podHash?: string;
  /** Of the last attempt to provision it. */
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
  /** What the spec says without effect. */
  readonly notices?: readonly Notice[];
  /** Whether anything is there that can store and serve. */
  readonly serving: boolean;
  readonly handledTrigger?: string;
  readonly sources: readonly SourceFacts[];
  /** Absent where a server stands already. */
  readonly server?: ServerFacts;
}

export function hasSynced(source: SourceFacts): boolean {
  return source.lastSyncAtMs !== undefined;
}

/** Nobody asked for a source that is built in: it is told of when it serves something, has a fault, or is all there is. */
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
