import { BoundedMap } from '#domain/bounded-map.js';
import type { ServedRegistry } from '../../served-registry.js';

export type HookOutcome = 'accepted' | 'ignored' | 'duplicate' | 'refused';

/**
 * Maximum number of webhooks that are remembered, over all registries and all edits of their specs. Beyond it, the
 * webhook with the oldest delivery is forgotten first.
 */
const MAX_HOOKS = 1_000;

interface HookRecord {
  readonly name: string;
  readonly counts: Partial<Record<HookOutcome, number>>;
  readonly lastVerified?: string;
  readonly lastRefused?: { readonly at: string; readonly why: string };
}

/** The outcomes of the deliveries to this process, by webhook. */
export class HookJournal {
  readonly #records = new BoundedMap<string, HookRecord>(MAX_HOOKS);

  /** Records a verified delivery. */
  verified(registry: ServedRegistry, name: string, outcome: Exclude<HookOutcome, 'refused'>): void {
    this.write(registry, name, outcome, { lastVerified: new Date().toISOString() });
  }

  /** Records a refused delivery; returns whether the reason differs from that of the previous refusal. */
  refused(registry: ServedRegistry, name: string, why: string): boolean {
    const isNew = this.find(registry, name)?.lastRefused?.why !== why;
    this.write(registry, name, 'refused', { lastRefused: { at: new Date().toISOString(), why } });
    return isNew;
  }

  find(registry: ServedRegistry, name: string): Pick<HookRecord, 'lastVerified' | 'lastRefused'> | undefined {
    return this.#records.get(keyOf(registry, name));
  }

  /** Returns the number of deliveries by webhook name and outcome, for metrics. */
  samples(): { readonly hook: string; readonly outcome: HookOutcome; readonly count: number }[] {
    const sums = new Map<string, { hook: string; outcome: HookOutcome; count: number }>();
    for (const { name: hook, counts } of this.#records.values()) {
      for (const [outcome, count] of Object.entries(counts) as [HookOutcome, number][]) {
        const key = `${hook} ${outcome}`;
        sums.set(key, { hook, outcome, count: (sums.get(key)?.count ?? 0) + count });
      }
    }
    return Array.from(sums.values());
  }

  private write(registry: ServedRegistry, name: string, outcome: HookOutcome, change: Partial<HookRecord>): void {
    const key = keyOf(registry, name);
    const before = this.#records.get(key);
    const counts = { ...before?.counts, [outcome]: (before?.counts[outcome] ?? 0) + 1 };
    this.#records.set(key, { ...before, ...change, name, counts });
  }
}

function keyOf({ namespace, name }: ServedRegistry, hook: string): string {
  return `${namespace}/${name}/${hook}`;
}
