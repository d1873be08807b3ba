import { setTimeout as sleep } from 'node:timers/promises';
import type { KindName } from './kinds.js';
import type { KubernetesApi, Selection } from './kubernetes-api.js';
import { KubernetesRefusal } from './kubernetes-error.js';
import { present } from './kubernetes-object.js';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.js';

export interface ListWatchOptions<T extends KubernetesObject> extends Omit<Selection, 'signal'> {
  readonly api: Pick<KubernetesApi, 'list' | 'watch'>;
  readonly kind: KindName;
  /** An object is new, or differs from what was seen of it before. Must not throw; takes note and returns. */
  onPresent(object: T): void;
  /** An object that was seen is gone. Likewise. */
  onGone(object: ObjectRef): void;
  /** The API server refused or did not answer; it is asked again. */
  onTrouble(error: unknown): void;
  readonly pace?: Partial<Pace>;
}

/** Spans are drawn from anew each time, so that many watchers do not ask at the same moment. */
export interface Pace {
  /** Between two lists: whatever a watch may have missed is found by then. */
  readonly relistMs: Span;
  /** How long the server is asked to keep one watch. */
  readonly watchMs: Span;
  /** Bookmarks come about once a minute; a watch that says nothing for so long is dead. */
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
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

/** A watch that lived for so long was a good one. */
const STEADY_MS = 1_000;

/**
 * Knows which objects there are, and tells each change of them: by a list, a watch from there on, and a new list every few
 * minutes. A cut connection, a silent one, a refusal and a version that is too old are all mended by asking again,
 * less and less often while it does not help. What did not change since it was seen last is not told again.
 */
export class ListWatch<T extends KubernetesObject> {
  /** Settles when the first list was told; later lists change nothing about it. */
  readonly synced: Promise<void>;
  /** When the server last said anything. */
  lastHeardAtMs = 0;

  private readonly pace: Pace;
  private readonly known = new Map<string, { readonly ref: ObjectRef; readonly resourceVersion: string }>();
  private readonly stopping = new AbortController();
  private readonly ended: Promise<void>;
  private failures = 0;
  private isSynced!: () => void;

  constructor(private readonly options: ListWatchOptions<T>) {
    this.pace = { ...PACE, ...options.pace };
    this.synced = new Promise((resolve) => (this.isSynced = resolve));
    this.ended = this.run();
  }

  /** Nothing is told after this. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        const resourceVersion = await this.list();
        this.isSynced();
        await this.watchUntil(performance.now() + within(this.pace.relistMs), resourceVersion);
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  private async list(): Promise<string> {
    const { api, kind, namespace, labelSelector, metadataOnly } = this.options;
    const selection = { namespace, labelSelector, metadataOnly, signal: this.stopping.signal };
    const { items, resourceVersion } = await api.list<T>(kind, present(selection));
    this.lastHeardAtMs = Date.now();
    const listed = new Set(items.map(keyOf));
    for (const [key, { ref }] of this.known) {
      if (!listed.has(key)) this.gone(key, ref);
    }
    for (const object of items) this.present(object);
    return resourceVersion;
  }

  /** One watch after the other, each from where the last one ended. Throws when it takes a list to go on. */
  private async watchUntil(deadlineMs: number, resourceVersion: string): Promise<void> {
    const { signal } = this.stopping;
    let position = resourceVersion;
    while (performance.now() < deadlineMs && !signal.aborted) {
      const startedAtMs = performance.now();
      try {
        for await (const { type, object } of this.watch(position, deadlineMs - startedAtMs)) {
          this.lastHeardAtMs = Date.now();
          position = object.metadata.resourceVersion ?? position;
          if (type === 'DELETED') this.gone(keyOf(object), refOf(object));
          else if (type !== 'BOOKMARK') this.present(object);
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
    const { api, kind, namespace, labelSelector, metadataOnly } = this.options;
    const { silenceMs, watchMs } = this.pace;
    const timeoutSeconds = Math.ceil(Math.min(within(watchMs), Math.max(remainingMs, STEADY_MS)) / 1000);
    const { signal } = this.stopping;
    return api.watch<T>(kind, {
      resourceVersion,
      timeoutSeconds,
      silenceMs,
      ...present({ namespace, labelSelector, metadataOnly, signal }),
    });
  }

  private present(object: T): void {
    const key = keyOf(object);
    const before = this.known.get(key);
    const ref = refOf(object);
    const resourceVersion = object.metadata.resourceVersion ?? '';
    if (before && before.ref.uid !== ref.uid) this.gone(key, before.ref);
    else if (before?.resourceVersion === resourceVersion) return;
    this.known.set(key, { ref, resourceVersion });
    this.options.onPresent(object);
  }

  private gone(key: string, ref: ObjectRef): void {
    if (this.known.delete(key)) this.options.onGone(ref);
  }

  /** Says what is wrong and waits: longer each time, and never all watchers for the same time. */
  private async recover(trouble: unknown): Promise<void> {
    const { signal } = this.stopping;
    if (signal.aborted) return;
    const expired = trouble instanceof KubernetesRefusal && trouble.code === 410;
    if (trouble !== undefined && !expired) this.options.onTrouble(trouble);
    const { firstRetryMs, longestRetryMs } = this.pace;
    const most = Math.min(longestRetryMs, firstRetryMs * 2 ** this.failures);
    this.failures += 1;
    await sleep(within([most / 2, most]), undefined, { signal }).catch(() => undefined);
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
