import { CreateCatalogue1763800000000 } from './1763800000000-create-catalogue.js';

/**
 * The migrations in the order in which they run. Until 1.0.0 there is only one, so change it instead of adding another.
 */
export const migrations = [CreateCatalogue1763800000000];
