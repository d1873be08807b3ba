import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncResources } from '#domain/resource-store.js';
import type { SyncOutcome } from '#domain/sync.js';
import type { DatabaseAccess } from '#persistence/database.js';
import type { RegistryCatalogue } from '#persistence/registry-catalogue.js';
import type { SourceSettings } from '#sources/source.js';
import type { Turns } from '../turns.js';
import type { ImportThreads } from './import-threads.js';

/** What the activities beside a store work with. */
export interface SyncWorld {
  readonly resources: SyncResources;
  readonly catalogue: RegistryCatalogue;
  readonly database: DatabaseAccess;
  /**
   * For looks at sources, and for fetching and importing what they hold: so many that no source waits for others that hang.
   * What takes memory is bounded where it does, as downloads are that run a program. Whoever waits here has its task
   * already: one that nobody takes within a minute means that the store is gone.
   */
  readonly turns: { readonly looks: Turns; readonly fetches: Turns; readonly downloads: Turns };
  readonly imports: ImportThreads;
  /** Read pages one at a time: none must wait for the import of a large file. */
  readonly walks: ImportThreads;
  /** Of this program; sources see it. */
  readonly version: string;
  readonly settings: SourceSettings;
  /** Shorter sync intervals are raised to this. */
  readonly minSyncIntervalMs: number;
  /** Holds bare repositories and files under way; may be lost at any time. */
  readonly cacheDirectory: string;
  /** Told of every run when it is written down. */
  onRun?(registry: RegistryRef, outcome: SyncOutcome): void;
}
