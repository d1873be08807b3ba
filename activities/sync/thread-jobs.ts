import type { MessagePort } from 'node:worker_threads';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { Publication } from '#persistence/publication.js';
import type { HeldBack } from '#persistence/shrink-guard.js';
import type { SourceTarget } from '#persistence/source-row.js';
import type { PageOutline, RawPage } from '#sources/pages.js';
import type { FileFormat } from '#sources/formats/layouts.js';

/** Inputs and results of import threads: plain data that can be copied between threads. */

/** The source that a run publishes to, and the removals that it may make. */
type PublishTarget = SourceTarget & Pick<Publication, 'specHash' | 'filterHash' | 'consent'>;

/** A file to read, validate, convert and publish. */
export interface ImportJob {
  readonly kind: 'import';
  readonly file: string;
  /** Name of the source in messages. */
  readonly label: string;
  readonly format: FileFormat;
  /** The namespace that is added to names without a slash. */
  readonly defaultNamespace?: string;
  readonly mayBeEmpty?: boolean;
  readonly hidesContent?: boolean;
  readonly filter: SourceFilter;
  readonly maxFileBytes: number;
  readonly database: DatabaseAccess;
  readonly target: PublishTarget & { readonly revision: string };
  /** Whether the stored entries were parsed with the same format and the same version of the reader. */
  readonly readAlike: boolean;
  /**
   * Hash of the published content, if that was also filtered in the same way: a file with this hash is already stored.
   */
  readonly storedContentHash?: string;
}

/** The stage of a walk. */
export interface StageRef {
  readonly sourceId: number;
  readonly walk: string;
}

/** A page of a walk, to be parsed and staged. */
export interface PageJob {
  readonly kind: 'page';
  /** Name of the source's block. */
  readonly type: string;
  readonly page: RawPage;
  readonly stage: StageRef;
  readonly database: DatabaseAccess;
}

/** A walk with all of its pages staged, to be published. */
export interface PublishJob {
  readonly kind: 'publish';
  readonly stage: StageRef;
  readonly filter: SourceFilter;
  readonly database: DatabaseAccess;
  readonly readAlike: boolean;
  /** Name of the data in messages. */
  readonly dataLabel: string;
  /** Whether the walk requested everything, not only the changes. */
  readonly isWhole: boolean;
  readonly target: PublishTarget;
}

/** An edited filter to apply to the stored entries. */
export interface FilterJob {
  readonly kind: 'filter';
  readonly filter: SourceFilter;
  readonly database: DatabaseAccess;
  readonly target: SourceTarget & { readonly filterHash: string };
}

/** Only loads the thread. */
export interface WarmUpJob {
  readonly kind: 'warm-up';
}

export type ThreadJob = ImportJob | PageJob | PublishJob | FilterJob | WarmUpJob;

export interface ThreadResults {
  readonly import: ImportResult;
  readonly page: PageOutline;
  readonly publish: ImportResult;
  /** Null if the filter was already applied. */
  readonly filter: EntryCounts | null;
  readonly 'warm-up': null;
}

export interface ImportResult {
  /** The revision as it is stored. */
  readonly revision: string;
  readonly contentHash: string;
  /** Absent if the content was already stored and nothing was written. */
  readonly counts?: EntryCounts;
}

/** A job together with the port on which the thread reports its progress. */
export interface ThreadTask {
  readonly job: ThreadJob;
  readonly progress: MessagePort;
}

/**
 * The outcome of a job. Errors are plain objects, because an instance of our error classes would lose its fields
 * between threads.
 */
export type ThreadOutcome = { readonly result: ThreadResults[ThreadJob['kind']] } | { readonly error: ThreadError };

export interface ThreadError {
  readonly reason?: Reason;
  readonly destiny?: Destiny;
  readonly held?: HeldBack;
  readonly overtaken?: { readonly source: string; readonly run: number; readonly by: number };
  readonly code?: string;
  readonly message: string;
}
