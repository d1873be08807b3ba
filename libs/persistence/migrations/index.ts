import { CreateCatalogue1763800000000 } from './1763800000000-create-catalogue.js';
import { MarkChanges1764000000000 } from './1764000000000-mark-changes.js';
import { LoadEntriesInBulk1764050000000 } from './1764050000000-load-entries-in-bulk.js';
import { OwnTheStore1764100000000 } from './1764100000000-own-the-store.js';
import { DescribeSources1764200000000 } from './1764200000000-describe-sources.js';
import { CountPurgedEntries1764300000000 } from './1764300000000-count-purged-entries.js';
import { RememberSyncedFilter1764400000000 } from './1764400000000-remember-synced-filter.js';

/** In the order in which they run. */
export const migrations = [
  CreateCatalogue1763800000000,
  MarkChanges1764000000000,
  LoadEntriesInBulk1764050000000,
  OwnTheStore1764100000000,
  DescribeSources1764200000000,
  CountPurgedEntries1764300000000,
  RememberSyncedFilter1764400000000,
];
