import type { AddressPolicy } from '#http/address-policy.js';
import type { RetryPolicy } from '#http/with-retries.js';
import type { References, SourceSettings } from '../context.js';
import type { RefusedParameters } from './refused-parameters.js';
import type { UrlRewrite } from '../rewrite-url.js';

/** What reading an API needs of the world around it. */
export interface ApiContext {
  readonly signal: AbortSignal;
  /** Called with a few words whenever something moved. */
  progress(note: string): void;
  /** The Secrets and ConfigMaps that the spec refers to. */
  readonly references: References;
  readonly settings: ApiSettings;
  /** What registries refused before; shared by the reads of one process. */
  readonly refusals: RefusedParameters;
}

/** What the site and this program prescribe for every API source. */
export interface ApiSettings {
  /** Version of this program; registries see it in `User-Agent`. */
  readonly version: string;
  /** Applied to whole URLs of pages; see `rewriteUrl`. */
  readonly urlRewrites: readonly UrlRewrite[];
  /** `private-allowed` when absent. */
  readonly addressPolicy?: AddressPolicy;
  /** See {@link SourceSettings}. */
  readonly concealedCause?: SourceSettings['concealedCause'];
  readonly retry?: Partial<RetryPolicy>;
  readonly limits?: Partial<ApiLimits>;
}

export interface ApiLimits {
  readonly maxPages: number;
  /** Most entries of one walk, those in quarantine included. */
  readonly maxEntries: number;
  /** Most bytes of one walk, decompressed: they are staged in the database. */
  readonly maxBytes: number;
  /** Size limit of one answer, both compressed and decompressed. */
  readonly maxPageBytes: number;
}
