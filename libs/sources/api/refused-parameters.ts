import { HttpFailure } from '#http/http-failure.js';

/** Names of query parameters that are left out of a request. */
export type Omitted = readonly string[];

/**
 * What is left out of a request, attempt by attempt, until a registry takes it. A list can be read without any of these
 * parameters: pages have another size then, removals show only when all of it is read, or every entry comes again.
 */
const ATTEMPTS: readonly Omitted[] = [
  [],
  ['include_deleted'],
  ['limit'],
  ['include_deleted', 'limit'],
  ['updated_since'],
  ['include_deleted', 'limit', 'updated_since'],
];

/** Statuses by which registries refuse a parameter. */
const REFUSALS = new Set([400, 422]);

/** Registries are upgraded: after this time everything is asked for again. */
const REMEMBERED_MS = 24 * 3600_000;
const MAX_ENDPOINTS = 1_000;

interface Refusal {
  readonly omitted: Omitted;
  readonly untilMs: number;
}

/** A bounded LRU cache of the parameters that registries refused, by endpoint. Its owner decides how long it lives. */
export class RefusedParameters {
  readonly #refusals = new Map<string, Refusal>();

  /**
   * Asks with all parameters of `given` first, then without those that a registry may refuse. What a registry refused is
   * left out of the next requests to its endpoint at once. Throws the failure of the first attempt when none succeeds.
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
        if (!isRefusal(error)) throw error;
        refusal ??= error;
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
    // A request without one of the parameters says nothing about that one.
    const all = new Set([...this.#recall(endpoint), ...omitted]);
    this.#refusals.delete(endpoint);
    this.#refusals.set(endpoint, { omitted: [...all].toSorted(), untilMs });
    const [oldest] = this.#refusals.keys();
    if (this.#refusals.size > MAX_ENDPOINTS && oldest !== undefined) this.#refusals.delete(oldest);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof HttpFailure && error.status !== undefined && REFUSALS.has(error.status);
}
