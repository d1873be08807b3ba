/**
 * Paths of the generic registry API: for one source, for all sources of the registry, and again with its older version
 * number.
 */
export const API_ROOTS = [
  'registry/:source/v0.1',
  'registry/:source/v0',
  'registry/v0.1',
  'registry/v0',
  'v0.1',
  'v0',
] as const;
