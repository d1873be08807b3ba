import type { Implementation } from '../inputs.js';
import { underHeartbeat } from '../heartbeat.js';
import { openSource } from './open-source.js';
import type { SyncWorld } from './sync-world.js';

/**
 * Applies an edited filter to the stored entries at once, even if the source is unavailable. Writes only rows whose
 * mark changes. Idempotent.
 */
export function applyFilter(world: SyncWorld): Implementation<'applyFilter'> {
  return (request) =>
    underHeartbeat(async (scope) => {
      const { plan, filter, stored } = await openSource(world, request, scope);
      if (stored.filterHash === null || stored.filterHash === plan.filterHash) return null;
      const { registry, source, run, trigger } = request;
      const target = { registry, source, run, trigger, filterHash: plan.filterHash };
      return world.imports.run({ kind: 'filter', filter, target, database: world.database }, scope);
    });
}
