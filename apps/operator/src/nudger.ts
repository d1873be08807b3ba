import { retryForever } from '#concurrency/retry-forever.js';
import { Semaphore } from '#concurrency/semaphore.js';
import { registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';

const BACKOFF = { firstMs: 500, longestMs: 30_000 };

/**
 * Maximum concurrent nudges. At its start the operator nudges every registry, but more at once would only queue in the
 * API server and in Temporal.
 */
export const NUDGES_AT_ONCE = 20;

export interface NudgerOptions {
  /** Nudges the workflow of this registry. Retried on failure. */
  nudge(registry: RegistryRef): Promise<void>;
  onFailure(registry: RegistryRef, error: unknown): void;
}

/**
 * Nudges the workflow of a registry when something about it has changed, however often that happens and even while
 * Temporal is unavailable. Sends at most one nudge at a time per registry and {@link NUDGES_AT_ONCE} in total, and
 * retries with exponential backoff. A change during a nudge causes another one. A registry is identified by namespace,
 * name and uid together.
 */
export class Nudger {
  /** Registries with a pending or running nudge. The value is true if something has changed since the nudge started. */
  private readonly pending = new Map<string, boolean>();
  private readonly slots = new Semaphore(NUDGES_AT_ONCE);
  private readonly ended = new AbortController();

  constructor(private readonly options: NudgerOptions) {}

  enqueue(registry: RegistryRef): void {
    const key = registryKey(registry);
    const isBusy = this.pending.has(key);
    this.pending.set(key, isBusy);
    if (!isBusy) void this.nudgeUntilDone(registry, key);
  }

  /** Number of registries whose workflow still has to be nudged. */
  get backlog(): number {
    return this.pending.size;
  }

  stop(): void {
    this.ended.abort();
  }

  private async nudgeUntilDone(registry: RegistryRef, key: string): Promise<void> {
    const { signal } = this.ended;
    const onFailure = (error: unknown) => this.options.onFailure(registry, error);
    do await retryForever(() => this.nudgeOnce(registry, key), { ...BACKOFF, signal, onFailure });
    while (this.pending.get(key) && !signal.aborted);
    this.pending.delete(key);
  }

  /** Makes one attempt. Holds its slot only during the attempt, so that failing registries do not delay the others. */
  private async nudgeOnce(registry: RegistryRef, key: string): Promise<void> {
    using _slot = await this.slots.acquire(this.ended.signal);
    this.pending.set(key, false);
    await this.options.nudge(registry);
  }
}
