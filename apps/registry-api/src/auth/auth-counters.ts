/**
 * What became of a request: `missing` and `malformed` are credentials, `unavailable` is a provider that could not be asked,
 * `forbidden` is a caller who is known and may not.
 */
export type AuthOutcome = 'accepted' | 'refused' | 'unavailable' | 'missing' | 'malformed' | 'forbidden';

/** Decisions by provider and outcome. Where no provider was concerned, its name is empty. */
export class AuthCounters {
  readonly #counts = new Map<string, Map<AuthOutcome, number>>();

  count(provider: string | undefined, outcome: AuthOutcome): void {
    const name = provider ?? '';
    let outcomes = this.#counts.get(name);
    if (!outcomes) this.#counts.set(name, (outcomes = new Map()));
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }

  *samples(): Generator<{ provider: string; outcome: AuthOutcome; count: number }> {
    for (const [provider, outcomes] of this.#counts) {
      for (const [outcome, count] of outcomes) yield { provider, outcome, count };
    }
  }
}
