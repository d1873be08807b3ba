import { pino } from 'pino';

import type { ServedRegistry } from '#registry-api/served-registry.js';
import type { RegistryApiOptions } from '#registry-api/start-registry-api.js';
import { ALONE } from './alone.js';
import { servedRegistries } from './served-registries.js';

/** Options of an API on loopback, on ports of its own, that serves these registries and has nothing else around it. */
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
