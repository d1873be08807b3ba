import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { RegistryError } from '#domain/registry-error.js';
import type { DatabaseAccess } from '#persistence/database.js';
import { ShrinkRefused } from '#persistence/shrink-guard.js';
import type { PageOutline, RawPage } from '#sources/api/walk-pages.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import { Turns } from '../turns.js';

/** One file to read, validate, convert and publish. Plain data: it is handed to a thread. */
export interface ImportJob {
  readonly kind: 'import';
  readonly file: string;
  /** How messages name it. */
  readonly label: string;
  readonly format: FileFormat;
  readonly mayBeEmpty?: boolean;
  readonly hidesContent?: boolean;
  readonly filter: SourceFilter;
  readonly maxFileBytes: number;
  readonly database: DatabaseAccess;
  readonly target: {
    readonly registry: RegistryRef;
    readonly source: string;
    readonly revision: string;
    readonly confirmedRevision?: string;
    readonly specHash: string;
    readonly filterHash: string;
  };
  /** What is stored was read with the same format and the same version of the reader. */
  readonly readAlike: boolean;
  /** Of the published revision, if it is filtered alike as well: a file with this hash is stored already. */
  readonly storedContentHash?: string;
}

/** The stage of a walk. */
export interface StageRef {
  readonly sourceId: number;
  readonly walk: string;
}

/** One page of a walk, to be read and put on the stage. */
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
  /** Everything was asked for, not only what changed. */
  readonly isWhole: boolean;
  readonly target: {
    readonly registry: RegistryRef;
    readonly source: string;
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
  readonly target: { readonly registry: RegistryRef; readonly source: string; readonly filterHash: string };
}

export type ThreadJob = ImportJob | PageJob | PublishJob | FilterJob;

export interface ThreadResults {
  readonly import: ImportResult;
  readonly page: PageOutline;
  readonly publish: ImportResult;
  /** Null when the filter was applied already. */
  readonly filter: EntryCounts | null;
}

export interface ImportResult {
  /** As it is stored. */
  readonly revision: string;
  readonly contentHash: string;
  /** Absent when the content is stored already and nothing was written. */
  readonly counts?: EntryCounts;
}

/** What the thread says: how far it is, and how it ended. */
export type ImportMessage =
  | { readonly progress: string }
  | { readonly result: ThreadResults[ThreadJob['kind']] }
  | { readonly error: ThreadError };

export interface ThreadError {
  readonly reason?: Reason;
  readonly destiny?: Destiny;
  readonly heldRevision?: string;
  readonly code?: string;
  readonly message: string;
}

export interface ThreadScope {
  readonly signal: AbortSignal;
  progress(note: string): void;
}

export interface ImportLimits {
  /** Of the thread's heap, in MiB; what needs more is refused. */
  readonly memoryMiB: number;
  readonly deadlineMs: number;
  /** Imports at the same time; more wait. */
  readonly threads: number;
}

/**
 * Runs imports in threads of their own, so that a hostile or huge file can stop neither the event loop of the API nor
 * its memory. Whatever goes wrong in a thread, ending it is enough: its transaction rolls back. One that did its job
 * waits for the next: loading it anew takes longer than most imports.
 */
export class ImportThreads {
  private readonly turns: Turns;
  private readonly idle: Worker[] = [];

  constructor(
    private readonly limits: ImportLimits,
    private readonly entry = new URL('./import.thread.js', import.meta.url),
  ) {
    this.turns = new Turns(limits.threads);
  }

  /** Has a thread ready before the first job comes. */
  warmUp(): void {
    this.rest(this.startThread());
  }

  /** Throws a RegistryError, or the abort reason when `signal` fires. */
  async run<Job extends ThreadJob>(job: Job, scope: ThreadScope): Promise<ThreadResults[Job['kind']]> {
    using _turn = await this.turns.take(scope.signal);
    const thread = this.idle.pop() ?? this.startThread();
    try {
      const outcome = await this.inThread(thread, job, scope);
      this.rest(thread);
      if ('error' in outcome) throw toError(outcome.error);
      return outcome.result as ThreadResults[Job['kind']];
    } finally {
      if (!this.idle.includes(thread)) await thread.terminate();
    }
  }

  private startThread(): Worker {
    for (const flag of NO_COMMON_SIZES) setFlagsFromString(flag);
    const thread = new Worker(this.entry, {
      resourceLimits: { maxOldGenerationSizeMb: this.limits.memoryMiB, maxYoungGenerationSizeMb: YOUNG_MIB },
      // Nothing of the parent's flags (a debugger, a loader) belongs there, and no variable either.
      execArgv: [],
      env: {},
    });
    // One that dies while it rests must neither get a job nor end the process.
    thread.on('error', () => this.forget(thread));
    thread.on('exit', () => this.forget(thread));
    return thread;
  }

  /** One is kept, and one for each job that waits; they must not keep the process alive. */
  private rest(thread: Worker): void {
    if (this.idle.length > this.turns.waiting) return;
    thread.unref();
    this.idle.push(thread);
  }

  /** Resolves to how the job ended; rejects when the thread did not survive it, or must not. */
  private async inThread(thread: Worker, job: ThreadJob, { signal, progress }: ThreadScope): Promise<ThreadOutcome> {
    const { memoryMiB, deadlineMs } = this.limits;
    const ended = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    signal.throwIfAborted();
    thread.ref();
    const { promise, resolve, reject } = Promise.withResolvers<ThreadOutcome>();
    const onMessage = (message: ImportMessage): void => {
      if ('progress' in message) progress(message.progress);
      else resolve(message);
    };
    const onError = (error: Error & { code?: string }): void =>
      reject(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooBig(memoryMiB) : error);
    const onExit = (code: number): void => reject(new Error(`the import thread ended with code ${code}`));
    const onEnded = (): void => reject(signal.aborted ? signal.reason : tooSlow(deadlineMs));
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    ended.addEventListener('abort', onEnded);
    try {
      thread.postMessage(job);
      return await promise;
    } finally {
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      ended.removeEventListener('abort', onEnded);
    }
  }

  private forget(thread: Worker): void {
    const at = this.idle.indexOf(thread);
    if (at >= 0) this.idle.splice(at, 1);
  }
}

/**
 * Entries are short-lived: in less than this, the garbage collector would copy them around all the time, which costs two
 * fifths more; three times of it takes 30 MB more and gains nothing.
 */
const YOUNG_MIB = 32;
/** What the process was started with is for its main heap, which has that by now; it would overrule the threads' own. */
const NO_COMMON_SIZES = ['--max-semi-space-size=0', '--initial-old-space-size=0'];

type ThreadOutcome = Exclude<ImportMessage, { readonly progress: string }>;

function toError({ reason, destiny, heldRevision, message, code }: ThreadError): Error {
  if (heldRevision !== undefined) return new ShrinkRefused(heldRevision, message);
  return reason ? new RegistryError(reason, message, destiny) : Object.assign(new Error(message), { code });
}

function tooSlow(deadlineMs: number): RegistryError {
  return new RegistryError('InvalidData', `reading the data took longer than ${deadlineMs / 1000} s: make it smaller`);
}

function tooBig(memoryMiB: number): RegistryError {
  return new RegistryError('InvalidData', `reading the data needs more than ${memoryMiB} MiB of memory: split it`);
}
