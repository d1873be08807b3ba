import { backoffMs } from '#domain/backoff.js';
import { createLocalJWKSet, decodeProtectedHeader } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { ProviderUnavailable, TokenRefused } from './verdict.js';

export interface KeySetOptions {
  /** Fetches the key set. Throws ProviderUnavailable or ProviderMisconfigured. */
  load(): Promise<Readonly<Record<string, unknown>>>;
  /** Called when the keys have changed. Tokens that were verified with the old keys must be verified again. */
  onChange(): void;
  /** Called after each load with the reason why it failed, or with undefined if it succeeded. */
  onFault(fault: string | undefined): void;
  /** Returns the time in milliseconds of a monotonic clock. */
  now(): number;
}

type Keys = ReturnType<typeof createLocalJWKSet>;

/** Keys older than this are reloaded in the background, while requests continue to use them. */
const FRESH_MS = 5 * 60_000;
/**
 * Keys older than this are used only if reloading fails. While the provider can be reached, a withdrawn key is
 * therefore trusted no longer than this.
 */
const TRUSTED_MS = FRESH_MS + 60_000;
/** While the provider cannot be reached, its last known keys can be used until they are this old. */
const USABLE_MS = 60 * 60_000;
/** Minimum time between two loads because of an unknown key id. Any client can send unknown key ids. */
const COOL_DOWN_MS = 30_000;
/** The delays between loads while they fail. */
const BACKOFF = { firstMs: 1_000, longestMs: COOL_DOWN_MS };

/** The published keys of one provider (RFC 7517). They are loaded on first use and reloaded as they age. */
export class KeySet {
  #known:
    | { readonly keys: Keys; readonly ids: ReadonlySet<unknown>; readonly text: string; readonly atMs: number }
    | undefined;
  #attemptedAtMs = -Infinity;
  #failures = 0;
  /** The error of the last load. Undefined if it succeeded. */
  #failure: Error | undefined;
  #loading: Promise<void> | undefined;

  constructor(private readonly options: KeySetOptions) {}

  /**
   * Returns the keys if they include the one that the token refers to. Throws TokenRefused, ProviderUnavailable or
   * ProviderMisconfigured.
   */
  async forToken(token: string): Promise<Keys> {
    const { kid } = decodeProtectedHeader(token);
    const trusted = this.known(TRUSTED_MS);
    if (trusted?.ids.has(kid)) {
      if (this.ageMs() > FRESH_MS && this.mayLoad()) void this.load().catch(() => undefined);
      return trusted.keys;
    }
    if (this.#loading || this.mayLoad()) await this.load().catch(() => undefined);
    const last = this.known(this.#failure ? USABLE_MS : TRUSTED_MS);
    if (last?.ids.has(kid)) return last.keys;
    throw this.#failure ?? new TokenRefused('key', 'the provider has no key with its key id (kid)');
  }

  private known(maxAgeMs: number) {
    return this.ageMs() <= maxAgeMs ? this.#known : undefined;
  }

  private ageMs(): number {
    return this.#known ? this.options.now() - this.#known.atMs : Infinity;
  }

  private mayLoad(): boolean {
    const pauseMs = this.#failures === 0 ? COOL_DOWN_MS : backoffMs(BACKOFF, this.#failures);
    return this.options.now() - this.#attemptedAtMs >= pauseMs;
  }

  /** Loads the keys. Concurrent callers share one load (singleflight). */
  private load(): Promise<void> {
    this.#loading ??= this.loadNow().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  private async loadNow(): Promise<void> {
    this.#attemptedAtMs = this.options.now();
    try {
      const document = await this.options.load();
      this.adopt(document);
      this.#failures = 0;
      this.#failure = undefined;
      this.options.onFault(undefined);
    } catch (error) {
      this.#failures++;
      this.#failure = error as Error;
      this.options.onFault(this.#failure.message);
      throw error;
    }
  }

  private adopt(document: Readonly<Record<string, unknown>>): void {
    let keys: Keys;
    try {
      keys = createLocalJWKSet(document as unknown as JSONWebKeySet);
    } catch (error) {
      throw new ProviderUnavailable('the response of the provider is not a key set', { cause: error });
    }
    const list = document['keys'] as { kid?: unknown }[];
    const text = JSON.stringify(list);
    const changed = this.#known !== undefined && this.#known.text !== text;
    this.#known = { keys, ids: new Set(list.map(({ kid }) => kid)), text, atMs: this.options.now() };
    if (changed) this.options.onChange();
  }
}
