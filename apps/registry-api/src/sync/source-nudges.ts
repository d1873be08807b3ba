import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { retryForever } from '#concurrency/retry-forever.js';
import type { ManagedPlace } from '#persistence/managed-entries.js';
import type { SyncTrigger } from './sync-trigger.js';

/** Debounce interval: changes within this time cause only one sync. */
const GATHER_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

interface NudgeOptions {
  /** The cause that is shown for the sync. */
  readonly trigger?: 'change' | 'push';
  /** Debounce interval: changes within this time cause only one sync. */
  readonly gatherMs?: number;
  /** Throttle interval: minimum time between two syncs of a source. */
  readonly floorMs?: number;
}

/**
 * Nudges the workflow of a registry when this server notices that the content of a source has changed. Runs in the
 * background, retries with backoff, and never loses the last change.
 */
export class SourceNudges {
  /** Sources with a pending nudge. The value is true if another change has occurred since that nudge was started. */
  readonly #pending = new Map<string, boolean>();
  readonly #ended = new AbortController();
  readonly #kind: 'change' | 'push';
  readonly #gatherMs: number;
  readonly #floorMs: number;

  constructor(
    private readonly trigger: SyncTrigger,
    private readonly logger: Logger,
    { trigger: kind = 'change', gatherMs = GATHER_MS, floorMs = 0 }: NudgeOptions = {},
  ) {
    this.#kind = kind;
    this.#gatherMs = gatherMs;
    this.#floorMs = floorMs;
  }

  changed(place: ManagedPlace): void {
    const key = `${place.namespace}/${place.registry}/${place.source}`;
    const isBusy = this.#pending.has(key);
    this.#pending.set(key, isBusy);
    if (!isBusy) void this.#nudge(key, place);
  }

  stop(): void {
    this.#ended.abort();
  }

  async #nudge(key: string, place: ManagedPlace): Promise<void> {
    const { namespace, registry: name, source } = place;
    const { signal } = this.#ended;
    const start = () => {
      this.#pending.set(key, false);
      return this.trigger.start({ namespace, name }, source, this.#kind);
    };
    const onFailure = (err: unknown) =>
      this.logger.debug({ ...place, err }, 'signal to the workflow failed, will retry');
    await this.#wait(this.#gatherMs);
    do {
      await retryForever(start, { firstMs: 2 * this.#gatherMs, longestMs: LONGEST_RETRY_MS, signal, onFailure });
      // Changes during this wait cause one more sync after it.
      await this.#wait(Math.max(this.#gatherMs, this.#floorMs));
    } while (this.#pending.get(key) && !signal.aborted);
    this.#pending.delete(key);
  }

  /** Waits, but returns early when this object is stopped. */
  async #wait(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
  }
}
