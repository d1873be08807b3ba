import { EntryEntity } from './entry.entity.js';
import { QuarantinedEntryEntity } from './quarantined-entry.entity.js';
import { RegistryEntity } from './registry.entity.js';
import { SourceEntity } from './source.entity.js';
import { StoreEntity } from './store.entity.js';
import { SyncRunEntity } from './sync-run.entity.js';

export const entities = [StoreEntity, RegistryEntity, SourceEntity, EntryEntity, QuarantinedEntryEntity, SyncRunEntity];
