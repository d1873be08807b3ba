import { ownMember } from '#domain/own-member.js';
import { backoffMs } from '#domain/backoff.js';
import { isImpossible } from '#domain/clock-skew.js';
import type { DesiredState, Site } from '#activities/contract.js';
import type { Nudge } from '../messages.js';
import { driftNoticed, NOT_PROVISIONED } from './provisioning.js';
import { mapSources, mapStores } from './registry-state.js';
import type { RegistryState } from './registry-state.js';
import { replanned, requested, runningSyncs } from './syncs.js';

const READ_BACKOFF = { firstMs: 30_000, longestMs: 5 * 60_000 };

/** Returns whether the resource must be read now. */
export function readDue({ stale, retryReadAtMs = 0 }: RegistryState, nowMs: number): boolean {
  return stale && retryReadAtMs <= nowMs;
}

/**
 * Records that the resource may have changed. A pending retry is dropped, because the reason why the resource could not
 * be read may be gone too.
 */
export function markStale({ retryReadAtMs: _retry, ...state }: RegistryState): RegistryState {
  return { ...state, stale: true };
}

/** Applies a nudge. The site of the operator that started last is used, regardless of which operator sent the nudge. */
export function nudged(state: RegistryState, { drift, site }: Nudge, nowMs: number): RegistryState {
  const known = withSite(markStale(state), site, nowMs);
  if (!drift) return known;
  return { ...known, provisioning: driftNoticed(known.provisioning ?? NOT_PROVISIONED, nowMs) };
}

/**
 * Returns the state with the site that started later, the known one or this one. A start in the future is forged, or
 * the clock was wrong, so it does not count.
 */
function withSite({ site: known, ...state }: RegistryState, site: Site | undefined, nowMs: number): RegistryState {
  const possible = [known, site].filter((each) => each !== undefined && !isImpossible(each.startedAtMs, nowMs));
  const [latest] = possible.toSorted((a, b) => b!.startedAtMs - a!.startedAtMs);
  return { ...state, ...(latest && { site: latest }) };
}

export function readFailed(state: RegistryState, nowMs: number): RegistryState {
  const failedReads = (state.failedReads ?? 0) + 1;
  return { ...state, stale: true, failedReads, retryReadAtMs: nowMs + backoffMs(READ_BACKOFF, failedReads) };
}

/**
 * Applies the desired state of the resource. Only what has changed becomes due, so applying an equal state again
 * changes nothing.
 */
export function desiredRead(known: RegistryState, desired: DesiredState | null, nowMs: number): RegistryState {
  const { failedReads: _failed, ...state } = known;
  if (!desired) return { ...state, gone: true };
  const current = withSite(state, desired.provision?.site, nowMs);
  return desired.invalid === undefined ? planAdopted(current, desired, nowMs) : invalidRead(current, desired);
}

/** Keeps the previous plan, so that nothing is lost when the spec is corrected. Until then, nothing is synced. */
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
      desired.sources.map((plan) => [plan.name, replanned(ownMember(store.sources, plan.name), plan, nowMs)]),
    );
    const planned = { ...store, sources };
    return manual ? mapSources(planned, (source) => requested(source, 'manual', nowMs)) : planned;
  });
}

/**
 * Returns whether the value of the trigger annotation is new. On a resource that was never synced, a first value
 * requests only what happens anyway. A repeated value requests nothing.
 */
function isNewTrigger(state: RegistryState, desired: DesiredState): boolean {
  return Boolean(desired.triggerToken) && desired.triggerToken !== state.handledTrigger;
}
