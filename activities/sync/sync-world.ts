import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncResources } from '#spec/sync-resources.js';
import type { SyncOutcome } from '#domain/sync.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { RefusedParameters } from '#sources/api/refused-parameters.js';
import type { SourceSettings } from '#sources/context.js';
import type { Semaphore } from '#concurrency/semaphore.js';
import type { ImportThreads } from './import-threads.js';

/** The dependencies of the activities that run in the worker of a store. */
export interface SyncWorld {
  readonly resources: SyncResources;
  readonly catalogue: RegistryCatalogue;
  readonly database: DatabaseAccess;
  /**
   * Limits for checks of sources, for fetching and importing their content, and for downloads that run a program. The
   * limit for checks and imports is high, so that no source waits for others that hang; that for downloads is low,
   * because each takes memory. Activities wait here after a worker has taken them: if no worker takes a task within a
   * minute, the workflow concludes that the store is gone.
   */
  readonly semaphores: { readonly looks: Semaphore; readonly fetches: Semaphore; readonly downloads: Semaphore };
  readonly imports: ImportThreads;
  /**
   * Separate threads for the pages of walks, one page at a time, so that no page waits for the import of a large file.
   */
  readonly walks: ImportThreads;
  /** Query parameters that registries read over their API have rejected before. */
  readonly refusals: RefusedParameters;
  /** Version of this program, as shown to sources. */
  readonly version: string;
  readonly settings: SourceSettings;
  /** Minimum sync interval. Shorter intervals are raised to it. */
  readonly minSyncIntervalMs: number;
  /** Directory for bare repositories and files that are being fetched. It may be lost at any time. */
  readonly cacheDirectory: string;
  /** Called after each run is recorded. */
  onRun?(registry: RegistryRef, outcome: SyncOutcome): void;
}
