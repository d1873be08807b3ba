/**
 * The outcome of an authorization. `missing` and `malformed` refer to the credentials, `unavailable` to a provider that
 * did not respond, and `forbidden` to a known caller without the right.
 */
export type AuthOutcome = 'accepted' | 'refused' | 'unavailable' | 'missing' | 'malformed' | 'forbidden';

/** Counts decisions by provider and outcome. The provider is empty if none was involved. */
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
