import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ManagedPlace } from '#persistence/managed-entries.js';
import type { SyncTrigger } from './sync-trigger.js';

/** Debounce: changes within this time lead to one sync. */
const GATHER_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

interface NudgeOptions {
  /** What a sync is shown to be caused by. */
  readonly trigger?: 'change' | 'push';
  /** Changes within this time lead to one sync. */
  readonly gatherMs?: number;
  /** Throttle: the least time between two syncs of a source. */
  readonly floorMs?: number;
}

/**
 * Nudges the workflow of a registry when this server sees that the content of a source has changed. Runs in the background, retries
 * with backoff, and never loses the last change.
 */
export class SourceNudges {
  /** The sources with a pending nudge; true when another change came during the nudge. */
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
    const pauseMs = Math.max(this.#gatherMs, this.#floorMs);
    let waitMs = this.#gatherMs;
    while (await this.#wait(waitMs)) {
      this.#pending.set(key, false);
      try {
        await this.trigger.start({ namespace, name }, source, this.#kind);
        // What comes during the pause leads to one more sync after it.
        if (this.#floorMs > 0 && !(await this.#wait(pauseMs))) break;
        if (!this.#pending.get(key)) break;
        waitMs = this.#floorMs > 0 ? 0 : this.#gatherMs;
      } catch (err) {
        this.logger.debug({ ...place, err }, 'nudge of the workflow failed, will retry');
        waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS);
      }
    }
    this.#pending.delete(key);
  }

  /** Resolves to false when the process ends. */
  async #wait(ms: number): Promise<boolean> {
    await delay(ms, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
    return !this.#ended.signal.aborted;
  }
}
