import { BoundedMap } from '#domain/bounded-map.js';
import type { Caller } from './caller.js';

interface VerifiedToken {
  readonly caller: Caller;
  readonly untilMs: number;
}

/** How long a verification is cached, and thus how long a revoked token is still accepted at most. */
const KEPT_MS = 60_000;
const MAX_TOKENS = 10_000;
/**
 * Maximum size of a cached caller, in characters. Providers decide how long the subject and the scopes are, so a larger
 * caller is not cached but verified for each request.
 */
const MAX_CHARACTERS = 4_096;

/**
 * A bounded cache of verified tokens, by hash, because checking a signature costs twenty times as much as the rest of a
 * request. Evicts the oldest entry first (FIFO). With a lifetime of one minute, an LRU cache would hardly differ.
 */
export class VerifiedTokens {
  readonly #byHash = new BoundedMap<string, VerifiedToken>(MAX_TOKENS);

  find(hash: string, nowMs: number): Caller | undefined {
    const found = this.#byHash.get(hash);
    if (!found) return undefined;
    if (found.untilMs > nowMs) return found.caller;
    this.#byHash.delete(hash);
    return undefined;
  }

  /**
   * Caches a token for a minute, or until it expires if that is sooner. An expired token that was accepted within its
   * leeway is not cached.
   */
  keep(hash: string, caller: Caller, expiresAtMs: number | undefined, nowMs: number): void {
    const untilMs = Math.min(nowMs + KEPT_MS, expiresAtMs ?? Infinity);
    if (untilMs <= nowMs || charactersOf(caller) > MAX_CHARACTERS) return;
    this.#byHash.set(hash, { caller, untilMs });
  }

  /** Drops the tokens of a provider after its keys have changed. */
  dropProvider(name: string): void {
    for (const [hash, { caller }] of this.#byHash) if (caller.provider === name) this.#byHash.delete(hash);
  }
}

/**
 * Returns the approximate memory of a caller, in characters; each scope takes some bytes in addition to its characters.
 */
function charactersOf({ subject, scopes }: Caller): number {
  return [...scopes].reduce((sum, scope) => sum + scope.length + 40, subject.length);
}
