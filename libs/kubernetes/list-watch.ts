import { setImmediate as yieldToEventLoop, setTimeout as sleep } from 'node:timers/promises';
import type { KindName } from './kinds.js';
import type { KubernetesApi, Selection } from './kubernetes-api.js';
import { KubernetesRefusal } from './kubernetes-error.js';
import { present } from './kubernetes-object.js';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.js';

export interface ListWatchOptions<T extends KubernetesObject> extends Omit<Selection, 'signal'> {
  readonly api: Pick<KubernetesApi, 'pages' | 'watch'>;
  readonly kind: KindName;
  /** Handles an object that is new, or that differs from what was seen of it before. */
  onPresent(object: T): void;
  /** Handles the deletion of an object that had been seen before. */
  onGone(object: ObjectRef): void;
  /**
   * Hears that the API server refused or did not answer, and is asked again; or, with an object, that a handler threw an
   * exception about that object, which is handled again after the next list.
   */
  onTrouble(error: unknown, object?: ObjectRef): void;
  readonly pace?: Partial<Pace>;
}

/** Every span is drawn at random each time, so that many watchers do not ask at the same moment. */
export interface Pace {
  /** Between two lists: what a watch may have missed is found by then. */
  readonly relistMs: Span;
  /** How long the server is asked to keep one watch. */
  readonly watchMs: Span;
  /** Bookmarks come about once a minute; a watch that is silent for this long is dead. */
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** Between two requests for a kind that the cluster does not have; absent: as after any other refusal. */
  readonly unknownKindMs?: Span;
}

type Span = readonly [least: number, most: number];

const MINUTE = 60_000;
const PACE: Pace = {
  relistMs: [5 * MINUTE, 10 * MINUTE],
  watchMs: [4 * MINUTE, 5 * MINUTE],
  silenceMs: 2.5 * MINUTE,
  firstRetryMs: 500,
  longestRetryMs: 30_000,
};

/** A watch that lived for this long was a good one. */
const STEADY_MS = 1_000;

/** After so many failures in a row, a kind that the cluster used to have counts as one that it does not have. */
const GIVEN_UP_AFTER = 8;

/** Handlers run for this long before other work of the process gets its turn. */
const SLICE_MS = 10;

/** `starting`: the first list is still to come; `refused`: the API server refuses, for example by RBAC, and is asked again. */
export type WatchState = 'starting' | 'watching' | 'refused';

/**
 * An informer: knows which objects there are and reports each change of them, by a list, a watch from there on, and another
 * list every few minutes. A cut connection, a silent one, a refusal and an expired version are all mended by asking again,
 * with exponential backoff and jitter. What did not change since it was seen last is not reported again. An object whose
 * handler fails, or takes long, does not keep the others from being handled.
 */
export class ListWatch<T extends KubernetesObject> {
  /** Settles when the first list was reported; later lists change nothing about it. */
  readonly synced: Promise<void>;
  /** Settles when the API server has listed the objects or refused to, whichever came first. */
  readonly answered: Promise<void>;
  /** When the server last said anything. */
  lastHeardAtMs = 0;

  private readonly pace: Pace;
  private readonly known = new Map<string, { readonly ref: ObjectRef; readonly resourceVersion: string }>();
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private readonly slice = new TimeSlice();
  private readonly firstList = Promise.withResolvers<void>();
  private readonly firstAnswer = Promise.withResolvers<void>();
  private failures = 0;
  private currentState: WatchState = 'starting';
  private hasListed = false;

  constructor(private readonly options: ListWatchOptions<T>) {
    this.pace = { ...PACE, ...options.pace };
    this.synced = this.firstList.promise;
    this.answered = this.firstAnswer.promise;
    this.ended = this.run();
  }

  get state(): WatchState {
    return this.currentState;
  }

  /** Whether the first list was reported: what is reported from then on is a change. */
  get isSynced(): boolean {
    return this.hasListed;
  }

  /** Nothing is reported after this. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        const resourceVersion = await this.list();
        signal.throwIfAborted();
        this.listed();
        await this.watchUntil(performance.now() + within(this.pace.relistMs), resourceVersion);
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  private listed(): void {
    this.currentState = 'watching';
    this.hasListed = true;
    this.firstList.resolve();
    this.firstAnswer.resolve();
  }

  /** Reports page by page, so that a large list is never in memory as a whole. */
  private async list(): Promise<string> {
    const { api, kind } = this.options;
    const listed = new Set<string>();
    let resourceVersion = '';
    for await (const page of api.pages<T>(kind, this.selection())) {
      this.lastHeardAtMs = Date.now();
      if (page.isFirst) listed.clear();
      resourceVersion = page.resourceVersion;
      for (const object of page.items) {
        listed.add(keyOf(object));
        await this.present(object);
      }
    }
    for (const [key, { ref }] of this.known) {
      if (!listed.has(key)) await this.gone(key, ref);
    }
    return resourceVersion;
  }

  /** Watches again and again, each time from where the last watch ended. Throws when it takes a list to go on. */
  private async watchUntil(deadlineMs: number, resourceVersion: string): Promise<void> {
    const { signal } = this.stopping;
    let position = resourceVersion;
    while (performance.now() < deadlineMs && !signal.aborted) {
      const startedAtMs = performance.now();
      try {
        for await (const { type, object } of this.watch(position, deadlineMs - startedAtMs)) {
          this.lastHeardAtMs = Date.now();
          position = object.metadata.resourceVersion ?? position;
          if (type === 'DELETED') await this.gone(keyOf(object), refOf(object));
          else if (type !== 'BOOKMARK') await this.present(object);
        }
        if (performance.now() - startedAtMs < STEADY_MS) await this.recover(undefined);
        else this.failures = 0;
      } catch (error) {
        if (performance.now() - startedAtMs > STEADY_MS) this.failures = 0;
        // The version is too old, or the server no longer knows the kind in this version.
        if (error instanceof KubernetesRefusal && (error.code === 410 || error.code === 404)) throw error;
        await this.recover(error);
      }
    }
  }

  private watch(resourceVersion: string, remainingMs: number) {
    const { api, kind } = this.options;
    const { silenceMs, watchMs } = this.pace;
    const timeoutSeconds = Math.ceil(Math.min(within(watchMs), Math.max(remainingMs, STEADY_MS)) / 1000);
    return api.watch<T>(kind, { resourceVersion, timeoutSeconds, silenceMs, ...this.selection() });
  }

  private selection(): Selection {
    const { namespace, labelSelector, metadataOnly } = this.options;
    return present({ namespace, labelSelector, metadataOnly, signal: this.stopping.signal });
  }

  private async present(object: T): Promise<void> {
    const key = keyOf(object);
    const before = this.known.get(key);
    const ref = refOf(object);
    const { resourceVersion = '' } = object.metadata;
    if (before && before.ref.uid !== ref.uid) await this.gone(key, before.ref);
    else if (before?.resourceVersion === resourceVersion) return;
    this.known.set(key, { ref, resourceVersion });
    await this.handle(ref, () => this.options.onPresent(object));
  }

  private async gone(key: string, ref: ObjectRef): Promise<void> {
    if (this.known.delete(key)) await this.handle(ref, () => this.options.onGone(ref));
  }

  /** Isolates the handlers of one object from all others. */
  private async handle(ref: ObjectRef, handler: () => void): Promise<void> {
    if (this.stopping.signal.aborted) return;
    try {
      handler();
    } catch (error) {
      const key = `${ref.namespace}/${ref.name}`;
      // Forgets the version that was seen, so that the next list reports the object again.
      if (this.known.has(key)) this.known.set(key, { ref, resourceVersion: '' });
      this.options.onTrouble(error, ref);
    }
    await this.slice.yieldWhenOver();
  }

  /** Reports what is wrong and waits, longer each time. */
  private async recover(trouble: unknown): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return;
    const refusal = trouble instanceof KubernetesRefusal ? trouble : undefined;
    if (refusal?.code === 403 || refusal?.code === 404) this.refused();
    if (trouble !== undefined && refusal?.code !== 410) this.options.onTrouble(trouble);
    const delayMs = within(this.nextDelay(refusal));
    this.failures += 1;
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
  }

  private refused(): void {
    this.currentState = 'refused';
    this.firstAnswer.resolve();
  }

  private nextDelay(refusal: KubernetesRefusal | undefined): Span {
    const { firstRetryMs, longestRetryMs, unknownKindMs } = this.pace;
    const isUnknown = refusal?.code === 404 && (!this.hasListed || this.failures > GIVEN_UP_AFTER);
    if (isUnknown && unknownKindMs) return unknownKindMs;
    const most = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.failures, 30));
    return [most / 2, most];
  }
}

/** Cuts long work into slices, between which timers and sockets of the process are served. */
class TimeSlice {
  private endsAtMs = performance.now() + SLICE_MS;

  async yieldWhenOver(): Promise<void> {
    if (performance.now() < this.endsAtMs) return;
    await yieldToEventLoop();
    this.endsAtMs = performance.now() + SLICE_MS;
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}

function refOf({ metadata: { namespace = '', name, uid = '' } }: KubernetesObject): ObjectRef {
  return { namespace, name, uid };
}

function within([least, most]: Span): number {
  return least + Math.random() * (most - least);
}
