import { createLocalJWKSet, decodeProtectedHeader } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { ProviderUnavailable, TokenRefused } from './verdict.js';

export interface KeySetOptions {
  /** Fetches the key set; throws ProviderUnavailable or ProviderMisconfigured. */
  load(): Promise<Readonly<Record<string, unknown>>>;
  /** Called when the keys differ from those before: what the old ones verified is to be verified again. */
  onChange(): void;
  /** Called after each load: why it failed, or undefined. */
  onFault(fault: string | undefined): void;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

type Keys = ReturnType<typeof createLocalJWKSet>;

/** Keys older than this are loaded again in the background, while requests go on using them. */
const FRESH_MS = 5 * 60_000;
/** Keys older than this are used only if loading them fails: a key that was withdrawn is trusted no longer than this. */
const TRUSTED_MS = FRESH_MS + 60_000;
/** While the provider cannot be reached, its last keys remain usable until they are this old. */
const USABLE_MS = 60 * 60_000;
/** Between two loads for unknown keys, which any client can name. */
const COOL_DOWN_MS = 30_000;
/** After a failure; doubles up to the cool-down. */
const FIRST_RETRY_MS = 1_000;

/** The published keys of one provider (RFC 7517), loaded when first needed and again as they age. */
export class KeySet {
  #known:
    | { readonly keys: Keys; readonly ids: ReadonlySet<unknown>; readonly text: string; readonly atMs: number }
    | undefined;
  #attemptedAtMs = -Infinity;
  #failures = 0;
  /** Why the last load failed; undefined after one that succeeded. */
  #failure: Error | undefined;
  #loading: Promise<void> | undefined;

  constructor(private readonly options: KeySetOptions) {}

  /**
   * Resolves to the keys if they include the one that the token names; throws TokenRefused, ProviderUnavailable or
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
    throw this.#failure ?? new TokenRefused('key', 'the provider has no such key');
  }

  private known(maxAgeMs: number) {
    return this.ageMs() <= maxAgeMs ? this.#known : undefined;
  }

  private ageMs(): number {
    return this.#known ? this.options.now() - this.#known.atMs : Infinity;
  }

  private mayLoad(): boolean {
    const pauseMs = this.#failures === 0 ? COOL_DOWN_MS : FIRST_RETRY_MS * 2 ** (this.#failures - 1);
    return this.options.now() - this.#attemptedAtMs >= Math.min(pauseMs, COOL_DOWN_MS);
  }

  /** A singleflight: all who wait share one load. */
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
      throw new ProviderUnavailable('the provider answered with something that is not a key set', { cause: error });
    }
    const list = document['keys'] as { kid?: unknown }[];
    const text = JSON.stringify(list);
    const changed = this.#known !== undefined && this.#known.text !== text;
    this.#known = { keys, ids: new Set(list.map(({ kid }) => kid)), text, atMs: this.options.now() };
    if (changed) this.options.onChange();
  }
}
