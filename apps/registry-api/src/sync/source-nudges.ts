import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ManagedPlace } from '#persistence/managed-entries.js';
import type { SyncTrigger } from './sync-trigger.js';

/** Debounce: changes within this time lead to one sync. */
const GATHER_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Nudges the workflow of a registry when this server sees that the content of a source has changed. Runs in the background, retries
 * with backoff, and never loses the last change.
 */
export class SourceNudges {
  /** The sources with a pending nudge; true when another change came during the nudge. */
  readonly #pending = new Map<string, boolean>();
  readonly #ended = new AbortController();

  constructor(
    private readonly trigger: SyncTrigger,
    private readonly logger: Logger,
    private readonly gatherMs = GATHER_MS,
  ) {}

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
    let waitMs = this.gatherMs;
    while (await this.#wait(waitMs)) {
      this.#pending.set(key, false);
      try {
        await this.trigger.start({ namespace, name }, source, 'change');
        if (!this.#pending.get(key)) break;
        waitMs = this.gatherMs;
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
