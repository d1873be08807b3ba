import { reportDue } from './facts.js';
import { openStores } from './registry-state.js';
import type { RegistryState } from './registry-state.js';
import { wholePlanDigest } from './stores.js';
import type { DueSync } from './syncs.js';

export function dueSyncs(state: RegistryState, nowMs: number): DueSync[] {
  const plan = wholePlanDigest(state);
  return openStores(state)
    .filter((store) => store.adoptedPlan !== undefined && store.adoptedPlan === plan)
    .flatMap(({ store, sources }) =>
      Object.entries(sources).flatMap(([source, { due, running }]) =>
        due && !running && due.atMs <= nowMs ? [{ storeId: store.id, source, trigger: due.trigger }] : [],
      ),
    );
}

/**
 * How long there is nothing to do unless something is heard; undefined: until then. While a report is being written
 * its end is what is waited for.
 */
export function untilNextDue(state: RegistryState, nowMs: number, reporting: boolean): number | undefined {
  const plan = wholePlanDigest(state);
  const report = reporting ? undefined : reportDue(state, nowMs);
  const times = Object.values(state.stores).flatMap((store) => {
    const sources = Object.values(store.sources);
    const deadlines = sources.flatMap(({ running }) => (running ? [running.deadlineMs] : []));
    if (plan === undefined || store.adopting || store.lost) return deadlines;
    if (store.adoptedPlan !== plan) return [...deadlines, store.retryAdoptionAtMs ?? nowMs];
    return [...deadlines, ...sources.flatMap(({ due, running }) => (due && !running ? [due.atMs] : []))];
  });
  if (report) times.push(report.atMs);
  if (state.stale && state.retryReadAtMs !== undefined) times.push(state.retryReadAtMs);
  const retryAtMs = state.provisioning?.retryAtMs;
  if (retryAtMs !== undefined && state.desired?.invalid === undefined) times.push(retryAtMs);
  return times.length > 0 ? Math.max(0, Math.min(...times) - nowMs) : undefined;
}
