import { CancellationScope, condition, sleep } from '@temporalio/workflow';

/**
 * A timer for the next due time. It keeps running if the loop asks for the same or a later time, because each timer is
 * an event in the workflow's history. If it fires too early, the loop only checks once more.
 */
export class Alarm {
  #atMs = Infinity;
  #hasRung = false;
  #scope: CancellationScope | undefined;

  /** Resolves when the predicate is true or the timeout expires. */
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
        // The timer was replaced by an earlier one.
        () => undefined,
      );
  }

  #ring(): void {
    this.#atMs = Infinity;
    this.#scope = undefined;
    this.#hasRung = true;
  }
}
