import { CancellationScope, condition, sleep } from '@temporalio/workflow';

/**
 * A timer for the next due time. It goes on when the loop asks for the same or a later time, since each timer is an event of
 * the history: one that rings too early only makes the loop look once more.
 */
export class Alarm {
  #atMs = Infinity;
  #hasRung = false;
  #scope: CancellationScope | undefined;

  /** Resolves when the predicate holds, or after the time-out. */
  async until(predicate: () => boolean, timeoutMs?: number): Promise<void> {
    if (timeoutMs !== undefined) this.#set(Date.now() + timeoutMs);
    await condition(() => this.#hasRung || predicate());
    this.#hasRung = false;
  }

  #set(atMs: number): void {
    if (this.#atMs <= atMs) return;
    this.#scope?.cancel();
    this.#atMs = atMs;
    const scope = new CancellationScope();
    this.#scope = scope;
    void scope
      .run(() => sleep(atMs - Date.now()))
      .then(
        () => this.#ring(),
        // It was replaced by an earlier one.
        () => undefined,
      );
  }

  #ring(): void {
    this.#atMs = Infinity;
    this.#scope = undefined;
    this.#hasRung = true;
  }
}
