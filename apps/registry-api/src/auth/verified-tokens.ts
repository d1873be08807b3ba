import type { Caller } from './caller.js';

interface VerifiedToken {
  readonly caller: Caller;
  readonly untilMs: number;
}

/** A verification counts for this long; a revoked token is refused after it at the latest. */
const KEPT_MS = 60_000;
const MAX_TOKENS = 10_000;

/**
 * A bounded cache of verified tokens by hash: checking a signature costs twenty times as much as the rest of a request. The
 * oldest entry is evicted first, as in a FIFO cache; with a life of one minute an LRU would hardly differ.
 */
export class VerifiedTokens {
  readonly #byHash = new Map<string, VerifiedToken>();

  find(hash: string, nowMs: number): Caller | undefined {
    const found = this.#byHash.get(hash);
    if (!found) return undefined;
    if (found.untilMs > nowMs) return found.caller;
    this.#byHash.delete(hash);
    return undefined;
  }

  /** Keeps a token until a minute has passed or it expires; one that is within its leeway is not kept. */
  keep(hash: string, caller: Caller, expiresAtMs: number | undefined, nowMs: number): void {
    const untilMs = Math.min(nowMs + KEPT_MS, expiresAtMs ?? Infinity);
    if (untilMs <= nowMs) return;
    this.#byHash.delete(hash);
    this.#byHash.set(hash, { caller, untilMs });
    if (this.#byHash.size <= MAX_TOKENS) return;
    for (const oldest of this.#byHash.keys()) {
      this.#byHash.delete(oldest);
      break;
    }
  }

  /** Forgets the tokens of a provider, whose keys have changed. */
  dropProvider(name: string): void {
    for (const [hash, { caller }] of this.#byHash) if (caller.provider === name) this.#byHash.delete(hash);
  }
}
