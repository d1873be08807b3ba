import { setTimeout as sleep } from 'node:timers/promises';
import type { RegistryRef } from '#domain/registry-ref.js';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

export interface NudgerOptions {
  /** Tells the workflow of this resource to look again; may fail, and is then tried again. */
  nudge(registry: RegistryRef): Promise<void>;
  onFailure(registry: RegistryRef, error: unknown): void;
}

/**
 * Turns "something about this resource changed" into a nudge of its workflow, however often it is said and whether or
 * not Temporal answers: one nudge at a time per resource, with backoff, and the last word is never lost.
 */
export class Nudger {
  /** Resources with something to tell; true when something new came while telling. */
  private readonly pending = new Map<string, boolean>();
  private readonly ended = new AbortController();

  constructor(private readonly options: NudgerOptions) {}

  enqueue(registry: RegistryRef): void {
    const busy = this.pending.has(registry.uid);
    this.pending.set(registry.uid, busy);
    if (!busy) void this.tell(registry);
  }

  /** Resources that are still to be told of something. */
  get backlog(): number {
    return this.pending.size;
  }

  stop(): void {
    this.ended.abort();
  }

  private async tell(registry: RegistryRef): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.ended.signal.aborted) {
      this.pending.set(registry.uid, false);
      try {
        await this.options.nudge(registry);
        if (!this.pending.get(registry.uid)) break;
      } catch (error) {
        if (this.ended.signal.aborted) break;
        this.options.onFailure(registry, error);
        await sleep(retryMs, undefined, { signal: this.ended.signal }).catch(() => undefined);
        retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
      }
    }
    this.pending.delete(registry.uid);
  }
}
