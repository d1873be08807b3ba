import type { DesiredState } from '#activities/contract.js';
import { mapSources, mapStores } from './registry-state.js';
import type { RegistryState } from './registry-state.js';
import { replanned, requested } from './syncs.js';

const READ_RETRY_MS = 30_000;

/** The resource is to be read. */
export function readDue({ stale, retryReadAtMs = 0 }: RegistryState, nowMs: number): boolean {
  return stale && retryReadAtMs <= nowMs;
}

/** Something may have changed about the resource: whatever kept it from being read may be gone as well. */
export function noticed({ retryReadAtMs: _retry, ...state }: RegistryState): RegistryState {
  return { ...state, stale: true };
}

export function readFailed(state: RegistryState, nowMs: number): RegistryState {
  return { ...state, stale: true, retryReadAtMs: nowMs + READ_RETRY_MS };
}

/**
 * Takes over what the resource wants now. Only what changed becomes due; equal twice changes nothing. `atOnce`: see
 * {@link replanned}.
 */
export function adopted(
  state: RegistryState,
  desired: DesiredState | null,
  nowMs: number,
  atOnce = true,
): RegistryState {
  if (!desired) return { ...state, gone: true };
  if (desired.invalid !== undefined) {
    // What was planned before stays known, so that nothing is lost when the spec is mended; meanwhile nothing is synced.
    const { sources = [], provision } = state.desired ?? {};
    return { ...state, desired: { ...desired, sources, ...(provision && { provision }) } };
  }
  const manual = isNewTrigger(state, desired);
  const next: RegistryState = {
    ...state,
    desired,
    ...(desired.triggerToken === undefined ? {} : { handledTrigger: desired.triggerToken }),
  };
  return mapStores(next, (store) => {
    const sources = Object.fromEntries(
      desired.sources.map((plan) => [plan.name, replanned(store.sources[plan.name], plan, nowMs, atOnce)]),
    );
    const planned = { ...store, sources };
    return manual ? mapSources(planned, (source) => requested(source, 'manual', nowMs)) : planned;
  });
}

/** A first trigger on a resource that was never synced asks for what happens anyway; a repeated one for nothing. */
function isNewTrigger(state: RegistryState, desired: DesiredState): boolean {
  return Boolean(desired.triggerToken) && desired.triggerToken !== state.handledTrigger;
}
