/** How long a proof is remembered. */
const MEMORY_MS = 60_000;
/** Proofs that are remembered at most; the oldest are forgotten first. */
const MAX_PROOFS = 1_000;

/** The proofs of recent deliveries, by which a replay is recognised. */
export class RecentProofs {
  /** When each was seen, by a monotonic clock; the oldest first. */
  readonly #seenAt = new Map<string, number>();

  /** Remembers a proof; returns whether it was seen in the last minute. */
  isRepeated(proof: string, nowMs = performance.now()): boolean {
    const seenAt = this.#seenAt.get(proof);
    if (seenAt !== undefined && nowMs - seenAt < MEMORY_MS) return true;
    this.#seenAt.delete(proof);
    if (this.#seenAt.size >= MAX_PROOFS) this.#seenAt.delete(this.#seenAt.keys().next().value as string);
    this.#seenAt.set(proof, nowMs);
    return false;
  }
}
