import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ManagedPlace } from '#persistence/managed-entries.js';
import type { SyncTrigger } from './sync-trigger.js';

/** What changes together is told together. */
const GATHER_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/**
 * Tells the workflow of a registry that a source holds something else now, as this server sees it happen. Nobody waits for
 * it; while it cannot be told it is tried again, and the last word is never lost.
 */
export class SourceNudges {
  /** Sources with something to tell; true when something new came while telling. */
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
    if (!isBusy) void this.#tell(key, place);
  }

  stop(): void {
    this.#ended.abort();
  }

  async #tell(key: string, place: ManagedPlace): Promise<void> {
    const { namespace, registry: name, source } = place;
    let waitMs = this.gatherMs;
    while (await this.#waited(waitMs)) {
      this.#pending.set(key, false);
      try {
        await this.trigger.start({ namespace, name }, source, 'change');
        if (!this.#pending.get(key)) break;
        waitMs = this.gatherMs;
      } catch (err) {
        this.logger.debug({ ...place, err }, 'the workflow could not be told of a change yet');
        waitMs = Math.min(2 * waitMs, LONGEST_RETRY_MS);
      }
    }
    this.#pending.delete(key);
  }

  /** False at the end of the process. */
  async #waited(ms: number): Promise<boolean> {
    await delay(ms, undefined, { signal: this.#ended.signal, ref: false }).catch(() => undefined);
    return !this.#ended.signal.aborted;
  }
}
