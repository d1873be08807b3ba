import { setTimeout as sleep } from 'node:timers/promises';
import { Semaphore } from '#activities/semaphore.js';
import { registryKey } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;

/** A start of the operator nudges every registry: more at once would only wait in the API server and in Temporal. */
export const NUDGES_AT_ONCE = 20;

export interface NudgerOptions {
  /** Tells the workflow of this registry to look again; is retried when it fails. */
  nudge(registry: RegistryRef): Promise<void>;
  onFailure(registry: RegistryRef, error: unknown): void;
}

/**
 * Turns "something about this registry changed" into a nudge of its workflow, however often that happens and whether or not
 * Temporal answers: at most one nudge at a time per registry and {@link NUDGES_AT_ONCE} in all, with exponential backoff.
 * What changes during a nudge leads to another one. Registries are told apart by namespace, name and uid together.
 */
export class Nudger {
  /** Registries with a nudge that is due or under way; true when something changed while it was under way. */
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

  /** The number of registries whose workflow is still to be nudged. */
  get backlog(): number {
    return this.pending.size;
  }

  stop(): void {
    this.ended.abort();
  }

  private async nudgeUntilDone(registry: RegistryRef, key: string): Promise<void> {
    const { signal } = this.ended;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await this.nudgeOnce(registry, key);
        if (!this.pending.get(key)) break;
      } catch (error) {
        if (signal.aborted) break;
        this.options.onFailure(registry, error);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
      }
    }
    this.pending.delete(key);
  }

  /** Holds its slot during the attempt only, so that failing registries do not keep the others waiting. */
  private async nudgeOnce(registry: RegistryRef, key: string): Promise<void> {
    using _slot = await this.slots.acquire(this.ended.signal);
    this.pending.set(key, false);
    await this.options.nudge(registry);
  }
}
