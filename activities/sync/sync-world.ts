import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncResources } from '#domain/resource-store.js';
import type { SyncOutcome } from '#domain/sync.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import type { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { RefusedParameters } from '#sources/api/refused-parameters.js';
import type { SourceSettings } from '#sources/context.js';
import type { Semaphore } from '../semaphore.js';
import type { ImportThreads } from './import-threads.js';

/** What the activities beside a store work with. */
export interface SyncWorld {
  readonly resources: SyncResources;
  readonly catalogue: RegistryCatalogue;
  readonly database: DatabaseAccess;
  /**
   * Limits for looks at sources, for fetching and importing what they hold, and for downloads that run a program: so high that no
   * source waits for others that hang, and low where memory is taken. An activity waits here and not for a worker, since a task
   * that no worker takes within a minute means that the store is gone.
   */
  readonly semaphores: { readonly looks: Semaphore; readonly fetches: Semaphore; readonly downloads: Semaphore };
  readonly imports: ImportThreads;
  /** Threads that read pages one at a time: none must wait for the import of a large file. */
  readonly walks: ImportThreads;
  /** What registries that are read over their API refused before. */
  readonly refusals: RefusedParameters;
  /** The version of this program; sources see it. */
  readonly version: string;
  readonly settings: SourceSettings;
  /** Shorter sync intervals are raised to this. */
  readonly minSyncIntervalMs: number;
  /** Holds bare repositories and files under way; may be lost at any time. */
  readonly cacheDirectory: string;
  /** Told of every run when it is written down. */
  onRun?(registry: RegistryRef, outcome: SyncOutcome): void;
}
