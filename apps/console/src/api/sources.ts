export type Phase = 'complete' | 'syncing' | 'failed';

/** A source as returned by `/v1/sources`. */
export interface Source {
  readonly name: string;
  readonly sourceType: string;
  readonly format: string;
  readonly sourceConfig: Readonly<Record<string, unknown>>;
  readonly filterConfig?: Readonly<Record<string, unknown>>;
  readonly syncSchedule?: string;
  readonly syncStatus: {
    readonly phase?: Phase;
    readonly lastSyncTime?: string;
    readonly lastAttempt?: string;
    readonly nextSyncTime?: string;
    readonly attemptCount: number;
    readonly serverCount: number;
    readonly hiddenCount: number;
    readonly quarantinedCount: number;
    readonly revision?: string;
    /** Machine-readable reason why the latest run failed. */
    readonly reason?: string;
    readonly message?: string;
  };
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface SourceList {
  readonly sources: readonly Source[];
}

export interface SyncRun {
  readonly workflowId: string;
  readonly trigger: string;
  readonly revision?: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationMs: number;
  readonly counts?: Readonly<
    Partial<Record<'served' | 'hidden' | 'quarantined' | 'added' | 'updated' | 'removed' | 'unchanged', number>>
  >;
  readonly warning?: string;
  readonly failure?: { readonly reason: string; readonly message: string };
  /** URL of the run in Temporal's UI, if the server has one. */
  readonly url?: string;
}

export interface RunList {
  readonly runs: readonly SyncRun[];
  readonly metadata: { readonly nextCursor?: string };
}

export interface QuarantinedEntry {
  readonly key: string;
  readonly name?: string;
  readonly version?: string;
  readonly path?: string;
  readonly message: string;
}

export interface QuarantineList {
  readonly quarantine: readonly QuarantinedEntry[];
  readonly metadata: { readonly nextCursor?: string };
}

export const SOURCES_PATH = 'v1/sources';
export const sourcePath = (name: string): string => `${SOURCES_PATH}/${encodeURIComponent(name)}`;
export const runsPath = (name: string): string => `${sourcePath(name)}/runs?limit=200`;

export const quarantinePath = (name: string, cursor?: string): string =>
  `${sourcePath(name)}/quarantine?${new URLSearchParams({ limit: '100', ...(cursor !== undefined && { cursor }) })}`;

/**
 * Reports whether the newest run failed only because the source was unreachable, for example without a network. That is
 * not an error of the registry, and it is retried.
 */
export function isUnreachable({ phase, reason }: Source['syncStatus']): boolean {
  return phase === 'failed' && reason === UNREACHABLE;
}

export const UNREACHABLE = 'Unreachable';

/** Returns where the entries of a source come from, without credentials. */
export function addressOf({ sourceConfig }: Source): string | undefined {
  return Object.values(sourceConfig).find((value) => typeof value === 'string');
}

const CALM_MS = 5_000;
const EAGER_MS = 1_000;
const EAGER_AFTER_REQUEST_MS = 15_000;

let eagerUntilMs = 0;

/** Polls the sources more often for a while, because the caller has just started a sync. */
export function expectSync(): void {
  eagerUntilMs = Date.now() + EAGER_AFTER_REQUEST_MS;
}

/** Returns the time between two polls of the sources: short while a sync is running or expected. */
export function sourcesPeriod(sources: readonly Source[]): number {
  const isBusy = sources.some(({ syncStatus }) => syncStatus.phase === 'syncing') || Date.now() < eagerUntilMs;
  return isBusy ? EAGER_MS : CALM_MS;
}
