import { pino } from 'pino';

import type { ServedRegistry } from '#registry-api/served-registry.js';
import type { RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { ALONE } from './alone.js';
import { servedRegistries } from './served-registries.js';

/**
 * Returns options of an API on loopback with free ports. The API serves these registries and is not connected to
 * anything but the database.
 */
export function apiOptions(
  database: RegistryApiOptions['database'],
  served: readonly ServedRegistry[],
  overrides: Partial<RegistryApiOptions> = {},
): RegistryApiOptions {
  return {
    database,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: servedRegistries(served),
    ...ALONE,
    version: { version: '1.2.3', commit: 'abc', buildDate: '2026-11-22' },
    logger: pino({ level: 'silent' }),
    ...overrides,
  };
}
