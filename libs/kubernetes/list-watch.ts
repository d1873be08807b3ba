import { setImmediate as yieldToEventLoop, setTimeout as sleep } from 'node:timers/promises';
import { backoffMs } from '#domain/backoff.js';
import type { Backoff } from '#domain/backoff.js';
import type { KindName } from './kinds.js';
import type { KubernetesApi, Selection } from './kubernetes-api.js';
import { KubernetesRefusal } from './kubernetes-error.js';
import { present } from './kubernetes-object.js';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.js';

export interface ListWatchOptions<T extends KubernetesObject> extends Omit<Selection, 'signal'> {
  readonly api: Pick<KubernetesApi, 'pages' | 'watch'>;
  readonly kind: KindName;
  /** Called for an object that is new or has changed since it was last seen. */
  onPresent(object: T): void;
  /** Called if an object that had been seen before was deleted. */
  onGone(object: ObjectRef): void;
  /**
   * Called if the API server refuses a request or does not respond; the request is then retried. With an object, called
   * if a handler threw an exception for that object; the object is then handled again after the next list.
   */
  onTrouble(error: unknown, object?: ObjectRef): void;
  readonly pace?: Partial<Pace>;
}

/**
 * The timing of a list and watch. Each duration that is given as a range is chosen at random from it each time, so that
 * many watchers do not send requests at the same moment.
 */
export interface Pace extends Backoff {
  /** Time between two lists. A list finds changes that a watch has missed. */
  readonly relistMs: Span;
  /** Maximum duration of one watch, as requested from the server. */
  readonly watchMs: Span;
  /** A watch that is silent for this long is considered dead. Bookmarks arrive about once a minute. */
  readonly silenceMs: number;
  /** Time between two requests for a kind that the cluster does not have. If absent, the usual backoff applies. */
  readonly unknownKindMs?: Span;
}

type Span = readonly [least: number, most: number];

const MINUTE = 60_000;
const PACE: Pace = {
  relistMs: [5 * MINUTE, 10 * MINUTE],
  watchMs: [4 * MINUTE, 5 * MINUTE],
  silenceMs: 2.5 * MINUTE,
  firstMs: 500,
  longestMs: 30_000,
};

/** A watch that lasted at least this long counts as successful. */
const STEADY_MS = 1_000;

/**
 * Number of consecutive failures after which a kind that the cluster used to have counts as one that it does not have.
 */
const GIVEN_UP_AFTER = 8;

/** Handlers run for this long before they yield to other work of the process. */
const SLICE_MS = 10;

/**
 * `starting`: the first list has not been received yet. `refused`: the API server refuses requests, for example because
 * of RBAC, and they are retried.
 */
export type WatchState = 'starting' | 'watching' | 'refused';

/**
 * An informer: keeps track of the existing objects and reports each change. It gets a list, watches from there on, and
 * gets another list every few minutes. After a broken or silent connection, a refusal or an expired version, it retries
 * with exponential backoff and jitter. An object that has not changed since it was last seen is not reported again. An
 * object whose handler fails or takes long does not prevent the others from being handled.
 */
export class ListWatch<T extends KubernetesObject> {
  /** Resolves when the first list has been reported. Later lists do not affect it. */
  readonly synced: Promise<void>;
  /** Resolves at the first list or the first refusal of the API server, whichever comes first. */
  readonly answered: Promise<void>;
  /** Time of the last message from the server. */
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

  /** Whether the first list has been reported. Everything that is reported after that is a change. */
  get isSynced(): boolean {
    return this.hasListed;
  }

  /** Stops all reports. */
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

  /** Lists and reports the objects page by page, so that a large list is never in memory as a whole. */
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

  /**
   * Starts one watch after another until the deadline, each from where the last one stopped. Throws if a new list is
   * needed to continue.
   */
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
        // The version is too old, or the server no longer serves the kind in this version.
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

  /** Runs the handler of one object. An exception does not affect other objects. */
  private async handle(ref: ObjectRef, handler: () => void): Promise<void> {
    if (this.stopping.signal.aborted) return;
    try {
      handler();
    } catch (error) {
      const key = `${ref.namespace}/${ref.name}`;
      // Forgets the version that was last seen, so that the next list reports the object again.
      if (this.known.has(key)) this.known.set(key, { ref, resourceVersion: '' });
      this.options.onTrouble(error, ref);
    }
    await this.slice.yieldWhenOver();
  }

  /** Reports an error and waits, with a longer delay after each consecutive failure. */
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
    const { unknownKindMs } = this.pace;
    const isUnknown = refusal?.code === 404 && (!this.hasListed || this.failures > GIVEN_UP_AFTER);
    if (isUnknown && unknownKindMs) return unknownKindMs;
    const most = backoffMs(this.pace, this.failures + 1);
    return [most / 2, most];
  }
}

/**
 * Divides long work into slices. Between two slices, it yields to the event loop, so that timers and sockets of the
 * process are served.
 */
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
