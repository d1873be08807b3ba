import type { MessagePort } from 'node:worker_threads';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { SourceTarget } from '#persistence/source-row.js';
import type { PageOutline, RawPage } from '#sources/pages.js';
import type { FileFormat } from '#sources/formats/layouts.js';

/** What import threads are given and what they answer: plain data, which can be copied from thread to thread. */

/** A file to read, validate, convert and publish. */
export interface ImportJob {
  readonly kind: 'import';
  readonly file: string;
  /** How messages name it. */
  readonly label: string;
  readonly format: FileFormat;
  /** The namespace of names without a slash. */
  readonly defaultNamespace?: string;
  readonly mayBeEmpty?: boolean;
  readonly hidesContent?: boolean;
  readonly filter: SourceFilter;
  readonly maxFileBytes: number;
  readonly database: DatabaseAccess;
  readonly target: {
    readonly registry: RegistryRef;
    readonly source: string;
    readonly run?: number;
    readonly revision: string;
    readonly confirmedRevision?: string;
    readonly specHash: string;
    readonly filterHash: string;
  };
  /** The stored entries were read with the same format and the same version of the reader. */
  readonly readAlike: boolean;
  /** Hash of the published content, if it is filtered alike as well: a file with this hash is stored already. */
  readonly storedContentHash?: string;
}

/** The stage of a walk. */
export interface StageRef {
  readonly sourceId: number;
  readonly walk: string;
}

/** A page of a walk, to be read and put on the stage. */
export interface PageJob {
  readonly kind: 'page';
  /** The block of the source. */
  readonly type: string;
  readonly page: RawPage;
  readonly stage: StageRef;
  readonly database: DatabaseAccess;
}

/** A walk whose pages are all on the stage, to be published. */
export interface PublishJob {
  readonly kind: 'publish';
  readonly stage: StageRef;
  readonly filter: SourceFilter;
  readonly database: DatabaseAccess;
  readonly readAlike: boolean;
  /** How messages name what was walked. */
  readonly dataLabel: string;
  /** Everything was asked for, not only what changed. */
  readonly isWhole: boolean;
  readonly target: {
    readonly registry: RegistryRef;
    readonly source: string;
    readonly run?: number;
    readonly specHash: string;
    readonly filterHash: string;
    readonly confirmedRevision?: string;
  };
}

/** An edited filter to be applied to what is stored. */
export interface FilterJob {
  readonly kind: 'filter';
  readonly filter: SourceFilter;
  readonly database: DatabaseAccess;
  readonly target: SourceTarget & { readonly filterHash: string };
}

/** Nothing but to have the thread loaded. */
export interface WarmUpJob {
  readonly kind: 'warm-up';
}

export type ThreadJob = ImportJob | PageJob | PublishJob | FilterJob | WarmUpJob;

export interface ThreadResults {
  readonly import: ImportResult;
  readonly page: PageOutline;
  readonly publish: ImportResult;
  /** Null when the filter was applied already. */
  readonly filter: EntryCounts | null;
  readonly 'warm-up': null;
}

export interface ImportResult {
  /** The name of the revision, as it is stored. */
  readonly revision: string;
  readonly contentHash: string;
  /** Absent when the content is stored already and nothing was written. */
  readonly counts?: EntryCounts;
}

/** A job together with the port on which the thread says how far it is. */
export interface ThreadTask {
  readonly job: ThreadJob;
  readonly progress: MessagePort;
}

/** How a job ended. An error of a class of ours would lose its fields on the way between threads. */
export type ThreadOutcome = { readonly result: ThreadResults[ThreadJob['kind']] } | { readonly error: ThreadError };

export interface ThreadError {
  readonly reason?: Reason;
  readonly destiny?: Destiny;
  readonly heldRevision?: string;
  readonly overtaken?: { readonly source: string; readonly run: number; readonly by: number };
  readonly code?: string;
  readonly message: string;
}
