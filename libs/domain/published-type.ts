/**
 * Type of sources with entries that are published through the API instead of synced. The database stores them
 * differently.
 */
export const PUBLISHED_TYPE = 'managed';
