import type { AddressPolicy } from '#http/address-policy.js';
import type { RetryPolicy } from '#http/with-retries.js';
import type { References, SourceSettings } from '../context.js';
import type { RefusedParameters } from './refused-parameters.js';
import type { UrlRewrite } from '../rewrite-url.js';

/** The dependencies for reading an API. */
export interface ApiContext {
  readonly signal: AbortSignal;
  /** Called with a short note whenever there is progress. */
  progress(note: string): void;
  /** The Secrets and ConfigMaps that the spec refers to. */
  readonly references: References;
  readonly settings: ApiSettings;
  /** The parameters that registries have rejected before. Shared by all reads of a process. */
  readonly refusals: RefusedParameters;
}

/** The settings of the site and of this program for every API source. */
export interface ApiSettings {
  /** Version of this program, which is sent to registries in `User-Agent`. */
  readonly version: string;
  /** Applied to the complete URLs of pages, see `rewriteUrl`. */
  readonly urlRewrites: readonly UrlRewrite[];
  /** The default is `private-allowed`. */
  readonly addressPolicy?: AddressPolicy;
  /** See {@link SourceSettings}. */
  readonly concealedCause?: SourceSettings['concealedCause'];
  readonly retry?: Partial<RetryPolicy>;
  readonly limits?: Partial<ApiLimits>;
}

export interface ApiLimits {
  readonly maxPages: number;
  /** Maximum number of entries of a walk, including quarantined ones. */
  readonly maxEntries: number;
  /** Maximum number of decompressed bytes of a walk, because they are staged in the database. */
  readonly maxBytes: number;
  /** Maximum size of a response, both compressed and decompressed. */
  readonly maxPageBytes: number;
}
