import { createLocalJWKSet, decodeProtectedHeader } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { ProviderUnavailable, TokenRefused } from './verdict.js';

export interface KeySetOptions {
  /** Asks the provider; throws ProviderUnavailable. */
  load(): Promise<Readonly<Record<string, unknown>>>;
  /** Other keys than before: what was verified with those is to be verified again. */
  onChange(): void;
  /** A background load failed, or loading works again (undefined). */
  onFault(fault: string | undefined): void;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
}

type Keys = ReturnType<typeof createLocalJWKSet>;

/** A key that a provider took back is trusted no longer than this. */
const FRESH_MS = 5 * 60_000;
/** While the provider is away, its last keys go on being used for so long. */
const USABLE_MS = 60 * 60_000;
/** Between two loads for keys that are not known: anybody can name such a key. */
const COOL_DOWN_MS = 30_000;
/** After a failure; doubles up to the cool-down. */
const FIRST_RETRY_MS = 1_000;

/** The published keys of one provider (RFC 7517), loaded when first needed and now and then after that. */
export class KeySet {
  #known:
    | { readonly keys: Keys; readonly ids: ReadonlySet<unknown>; readonly text: string; readonly atMs: number }
    | undefined;
  #attemptedAtMs = -Infinity;
  #failures = 0;
  #fault = '';
  #loading: Promise<void> | undefined;

  constructor(private readonly options: KeySetOptions) {}

  /** The keys, if the one is among them that the token names; throws TokenRefused or ProviderUnavailable. */
  async forToken(token: string): Promise<Keys> {
    const { kid } = decodeProtectedHeader(token);
    const known = this.usable();
    if (known?.ids.has(kid)) {
      // Stale keys do until new ones are there: nobody waits for them.
      if (this.options.now() - known.atMs > FRESH_MS && this.mayLoad()) void this.load().catch(() => undefined);
      return known.keys;
    }
    if (this.#loading || this.mayLoad()) await this.load();
    const loaded = this.usable();
    if (!loaded) throw new ProviderUnavailable(this.#fault);
    if (!loaded.ids.has(kid)) throw new TokenRefused('the provider has no such key');
    return loaded.keys;
  }

  private usable() {
    return this.#known && this.options.now() - this.#known.atMs <= USABLE_MS ? this.#known : undefined;
  }

  private mayLoad(): boolean {
    const pauseMs = this.#failures === 0 ? COOL_DOWN_MS : FIRST_RETRY_MS * 2 ** (this.#failures - 1);
    return this.options.now() - this.#attemptedAtMs >= Math.min(pauseMs, COOL_DOWN_MS);
  }

  /** One at a time, for all who wait. */
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
      this.options.onFault(undefined);
    } catch (error) {
      this.#failures++;
      this.#fault = (error as Error).message;
      this.options.onFault(this.#fault);
      throw error;
    }
  }

  private adopt(document: Readonly<Record<string, unknown>>): void {
    let keys: Keys;
    try {
      keys = createLocalJWKSet(document as unknown as JSONWebKeySet);
    } catch (error) {
      throw new ProviderUnavailable('the provider answered with something that is not a set of keys', { cause: error });
    }
    const list = document['keys'] as { kid?: unknown }[];
    const text = JSON.stringify(list);
    const changed = this.#known !== undefined && this.#known.text !== text;
    this.#known = { keys, ids: new Set(list.map(({ kid }) => kid)), text, atMs: this.options.now() };
    if (changed) this.options.onChange();
  }
}
