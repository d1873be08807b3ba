import type { ServerResponse } from 'node:http';
import { Pacer } from '#read-model/pacer.js';
import { API_LIMITS } from '../../limits.js';
import { Refusal } from '../../refusal.js';
import { onceClosed } from '../response-memory.js';

/** Yields to other requests. Long work must await it regularly. Throws when the work has to be aborted. */
export type Rest = () => Promise<void> | undefined;

/**
 * A bulkhead for previews: only a few run at the same time, at most one per registry. Each has a deadline and is
 * aborted when its client disconnects.
 */
export class PreviewSlots {
  readonly #running = new Set<string>();

  constructor(private readonly deadlineMs: number = API_LIMITS.preview.deadlineMs) {}

  /** Runs a task; `place` identifies its registry. Throws a `Refusal` if there is no free slot. */
  async run<Outcome>(
    place: string,
    response: ServerResponse,
    task: (rest: Rest) => Promise<Outcome>,
  ): Promise<Outcome> {
    if (this.#running.has(place) || this.#running.size >= API_LIMITS.preview.concurrent) {
      throw new Refusal('unavailable', 'another preview is in progress: retry later', { retryAfterSeconds: 2 });
    }
    this.#running.add(place);
    try {
      return await task(this.#restOf(response));
    } finally {
      this.#running.delete(place);
    }
  }

  #restOf(response: ServerResponse): Rest {
    const pacer = new Pacer();
    const endsAt = performance.now() + this.deadlineMs;
    let isGone = false;
    onceClosed(response, () => (isGone = true));
    return () => {
      if (isGone) throw new Refusal('unavailable', 'the client has closed the connection');
      if (performance.now() >= endsAt) throw tooSlow(this.deadlineMs);
      return pacer.rest();
    };
  }
}

function tooSlow(deadlineMs: number): Refusal {
  const message = `the preview takes longer than ${deadlineMs / 1000} s: retry later, or with fewer and shorter patterns`;
  return new Refusal('unavailable', message, { retryAfterSeconds: 10 });
}
