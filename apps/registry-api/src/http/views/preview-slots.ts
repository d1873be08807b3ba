import type { ServerResponse } from 'node:http';
import { Pacer } from '#read-model/pacer.js';
import { API_LIMITS } from '../../limits.js';
import { Refusal } from '../../refusal.js';
import { onceClosed } from '../catalogue-answers.js';

/** Lets other requests be served where it is awaited; throws when the work has to end. */
export type Rest = () => Promise<void> | undefined;

/** Bulkhead for previews: a few at a time, one of each registry, each with a deadline and for as long as its client waits. */
export class PreviewSlots {
  readonly #running = new Set<string>();

  constructor(private readonly deadlineMs: number = API_LIMITS.preview.deadlineMs) {}

  /** Runs a task; `place` names its registry. Throws a `Refusal` instead when there is no slot. */
  async run<Outcome>(
    place: string,
    response: ServerResponse,
    task: (rest: Rest) => Promise<Outcome>,
  ): Promise<Outcome> {
    if (this.#running.has(place) || this.#running.size >= API_LIMITS.preview.concurrent) {
      throw new Refusal('unavailable', 'another preview is being made: retry later', { retryAfterSeconds: 2 });
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
