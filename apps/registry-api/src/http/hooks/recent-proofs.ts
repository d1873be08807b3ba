import { BoundedMap } from '#domain/bounded-map.js';

/** How long a proof is remembered. */
const MEMORY_MS = 60_000;
/** Maximum number of remembered proofs. The oldest ones are dropped first. */
const MAX_PROOFS = 1_000;

/** The proofs of recent deliveries, used to detect replays. */
export class RecentProofs {
  /** Time at which each proof was seen, by a monotonic clock, oldest first. */
  readonly #seenAt = new BoundedMap<string, number>(MAX_PROOFS);

  /** Remembers a proof; returns whether it was already seen in the last minute. */
  isRepeated(proof: string, nowMs = performance.now()): boolean {
    const seenAt = this.#seenAt.get(proof);
    if (seenAt !== undefined && nowMs - seenAt < MEMORY_MS) return true;
    this.#seenAt.set(proof, nowMs);
    return false;
  }
}
