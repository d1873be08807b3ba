import type { Caller } from './caller.js';

interface VerifiedToken {
  readonly caller: Caller;
  readonly untilMs: number;
}

/** A provider's word is taken for this long; a token that was taken back is found out at the latest after it. */
const KEPT_MS = 60_000;
const MAX_TOKENS = 10_000;

/**
 * Tokens that were verified a moment ago, by their hash: checking a signature costs twenty times as much as all the rest of
 * a request. The oldest go first when there are too many; with a life of a minute the order of use would not differ much.
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

  /** Never beyond the token's own end; one in its leeway is not kept at all. */
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

  /** The provider's keys are others now. */
  dropProvider(name: string): void {
    for (const [hash, { caller }] of this.#byHash) if (caller.provider === name) this.#byHash.delete(hash);
  }
}
