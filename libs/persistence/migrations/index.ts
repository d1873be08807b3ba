import { CreateCatalogue1763800000000 } from './1763800000000-create-catalogue.js';
import { MarkChanges1764000000000 } from './1764000000000-mark-changes.js';

/** In the order in which they run. */
export const migrations = [CreateCatalogue1763800000000, MarkChanges1764000000000];
