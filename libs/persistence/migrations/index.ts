import { CreateCatalogue1763800000000 } from './1763800000000-create-catalogue.js';

/** In the order in which they run. */
export const migrations = [CreateCatalogue1763800000000];
