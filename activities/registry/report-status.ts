import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { toStatus } from '#domain/status/to-status.js';
import { statusEvents } from '#domain/status/status-events.js';
import type { RegistryActivities } from '../contract.js';
import type { RegistryWorld } from './registry-world.js';

/** Writes what the facts amount to as the resource's status, unless that stands there already. Safe to repeat. */
export function reportStatus({ resources, announce }: RegistryWorld): RegistryActivities['reportStatus'] {
  return async (registry, facts) => {
    const previous = await resources.readStatus(registry);
    const status = toStatus(facts, { previous, nowMs: Date.now(), digest: (text) => hash('sha256', text) });
    if (isDeepStrictEqual(status, previous)) return;
    // Nobody asks what became of a resource that is gone.
    if (!(await resources.writeStatus(registry, status))) return;
    await announce?.(registry, statusEvents(previous, status));
  };
}
