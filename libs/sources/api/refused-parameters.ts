import { BoundedMap } from '#domain/bounded-map.js';
import { HttpFailure } from '#http/http-failure.js';

/** Names of the query parameters that are left out of a request. */
export type Omitted = readonly string[];

/**
 * The parameters that are left out in each attempt, until a registry accepts the request. A list can be read without
 * any of them, but then pages have another size, removals are noticed only by a complete read, or every entry is sent
 * again.
 */
const ATTEMPTS: readonly Omitted[] = [
  [],
  ['include_deleted'],
  ['limit'],
  ['include_deleted', 'limit'],
  ['updated_since'],
  ['include_deleted', 'limit', 'updated_since'],
];

/** Status codes with which registries reject a parameter. */
const REFUSALS = new Set([400, 422]);

/**
 * Status codes with which registries withhold deleted entries from some callers, or do not support them. They have
 * other meanings as well.
 */
const REFUSALS_OF_DELETED = new Set([403, 404, 501]);

/** Registries are upgraded, so all parameters are tried again after this time. */
const REMEMBERED_MS = 24 * 3600_000;
const MAX_ENDPOINTS = 1_000;

interface Refusal {
  readonly omitted: Omitted;
  readonly untilMs: number;
}

/**
 * A bounded LRU cache of the parameters that registries have rejected, by endpoint. The owner determines its lifetime.
 */
export class RefusedParameters {
  readonly #refusals = new BoundedMap<string, Refusal>(MAX_ENDPOINTS);

  /**
   * Sends a request with all parameters of `given` first, then without those that a registry may reject. Parameters
   * that a registry has rejected are left out of the next requests to its endpoint from the start. Throws the failure
   * of the first attempt if none succeeds.
   */
  async askWithout<Answer>(
    endpoint: string,
    given: readonly string[],
    ask: (omitted: Omitted) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly omitted: Omitted }> {
    let refusal: unknown;
    for (const omitted of this.#attemptsFor(endpoint, given)) {
      try {
        const answer = await ask(omitted);
        if (omitted.length > 0) this.#remember(endpoint, omitted);
        return { answer, omitted };
      } catch (error) {
        refusal ??= error;
        const mayBeOfDeleted = omitted.length === 0 && given.includes('include_deleted');
        if (!isRefusal(error, REFUSALS) && !(mayBeOfDeleted && isRefusal(error, REFUSALS_OF_DELETED))) throw refusal;
      }
    }
    throw refusal;
  }

  #attemptsFor(endpoint: string, given: readonly string[]): readonly Omitted[] {
    const possible = ATTEMPTS.filter((omitted) => omitted.every((name) => given.includes(name)));
    const known = this.#recall(endpoint).filter((name) => given.includes(name));
    if (known.length === 0) return possible;
    return [known, ...possible.filter((omitted) => omitted.join() !== known.join())];
  }

  #recall(endpoint: string): Omitted {
    const found = this.#refusals.get(endpoint);
    if (found && performance.now() < found.untilMs) return found.omitted;
    this.#refusals.delete(endpoint);
    return [];
  }

  #remember(endpoint: string, omitted: Omitted): void {
    const untilMs = this.#refusals.get(endpoint)?.untilMs ?? performance.now() + REMEMBERED_MS;
    // A request without a parameter does not show whether the registry would accept it, so it stays remembered.
    const all = new Set([...this.#recall(endpoint), ...omitted]);
    this.#refusals.set(endpoint, { omitted: [...all].toSorted(), untilMs });
  }
}

function isRefusal(error: unknown, statuses: ReadonlySet<number>): boolean {
  return error instanceof HttpFailure && error.status !== undefined && statuses.has(error.status);
}
