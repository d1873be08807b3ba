import type { DesiredState } from '#activities/contract.js';
import type { Nudge } from '../messages.js';
import { driftNoticed, NOT_PROVISIONED } from './provisioning.js';
import { mapSources, mapStores } from './registry-state.js';
import type { RegistryState } from './registry-state.js';
import { replanned, requested, runningSyncs } from './syncs.js';

const FIRST_READ_RETRY_MS = 30_000;
const LONGEST_READ_RETRY_MS = 5 * 60_000;

/** Reports whether the resource is to be read now. */
export function readDue({ stale, retryReadAtMs = 0 }: RegistryState, nowMs: number): boolean {
  return stale && retryReadAtMs <= nowMs;
}

/** Notes that the resource may have changed: what kept it from being read may be gone as well. */
export function markStale({ retryReadAtMs: _retry, ...state }: RegistryState): RegistryState {
  return { ...state, stale: true };
}

/** Takes in a nudge. The site of the operator that started last counts, whichever operator speaks. */
export function nudged(state: RegistryState, { drift, site }: Nudge, nowMs: number): RegistryState {
  const stale = markStale(state);
  const isNewer = site && site.startedAtMs > (state.site?.startedAtMs ?? 0);
  const known = isNewer ? { ...stale, site } : stale;
  if (!drift) return known;
  return { ...known, provisioning: driftNoticed(known.provisioning ?? NOT_PROVISIONED, nowMs) };
}

export function readFailed(state: RegistryState, nowMs: number): RegistryState {
  const failedReads = (state.failedReads ?? 0) + 1;
  const backoffMs = Math.min(LONGEST_READ_RETRY_MS, FIRST_READ_RETRY_MS * 2 ** (failedReads - 1));
  return { ...state, stale: true, failedReads, retryReadAtMs: nowMs + backoffMs };
}

/** Takes over what the resource wants now. Only what changed becomes due; equal twice changes nothing. */
export function desiredRead(known: RegistryState, desired: DesiredState | null, nowMs: number): RegistryState {
  const { failedReads: _failed, ...state } = known;
  if (!desired) return { ...state, gone: true };
  const site = desired.provision?.site;
  const current = site && site.startedAtMs > (state.site?.startedAtMs ?? 0) ? { ...state, site } : state;
  return desired.invalid === undefined ? planAdopted(current, desired, nowMs) : invalidRead(current, desired);
}

/** Keeps what was planned before, so that nothing is lost when the spec is mended; meanwhile nothing is synced. */
function invalidRead(state: RegistryState, desired: DesiredState): RegistryState {
  const { sources = [], provision } = state.desired ?? {};
  return { ...state, desired: { ...desired, sources, ...(provision && { provision }) } };
}

function planAdopted(state: RegistryState, desired: DesiredState, nowMs: number): RegistryState {
  const manual = isNewTrigger(state, desired);
  const left = runningSyncs(state).filter(({ source }) => !desired.sources.some(({ name }) => name === source));
  const next: RegistryState = {
    ...state,
    desired,
    ...(desired.triggerToken === undefined ? {} : { handledTrigger: desired.triggerToken }),
    ...(left.length > 0 && { abandoned: [...(state.abandoned ?? []), ...left] }),
  };
  return mapStores(next, (store) => {
    const sources = Object.fromEntries(
      desired.sources.map((plan) => [plan.name, replanned(store.sources[plan.name], plan, nowMs)]),
    );
    const planned = { ...store, sources };
    return manual ? mapSources(planned, (source) => requested(source, 'manual', nowMs)) : planned;
  });
}

/** A first trigger on a resource that was never synced asks for what happens anyway; a repeated one for nothing. */
function isNewTrigger(state: RegistryState, desired: DesiredState): boolean {
  return Boolean(desired.triggerToken) && desired.triggerToken !== state.handledTrigger;
}
