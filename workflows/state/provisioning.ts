import type { DeployedServer, ProvisionPlan } from '#activities/contract.js';
import type { Notice } from '#domain/notice.js';
import type { ServerFacts } from '#domain/status/registry-facts.js';
import type { Reason } from '#domain/reasons.js';
import { serverEndpoint } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncFailure } from '#domain/sync.js';
import type { ServerTrouble, WorkloadFacts } from '#domain/workload.js';

/** What a registry's life remembers of the server that is run for it, and the decisions over it. */
export interface ProvisioningState {
  /** Key of the plan that was tried last. */
  readonly tried?: string;
  /** The sync trigger that the server was told of last, or is being told of. */
  readonly toldTrigger?: string;
  /** Key of the plan that was carried out last, completely. */
  readonly done?: string;
  /** What was made has been changed or removed: it is repaired at this time. */
  readonly repairAtMs?: number;
  /** When a repair was started last. */
  readonly repairedAtMs?: number;
  /** Repairs in a row, each needed soon after the one before. */
  readonly repairs?: number;
  /** Who else writes what was made, while that goes on. */
  readonly contenders?: readonly Notice[];
  /** Failed attempts since the last success. */
  readonly attemptCount: number;
  readonly failure?: SyncFailure;
  /** A failure that may pass, over a plan that is carried out: not shown as a failure until it has lasted. */
  readonly passing?: { readonly failure: SyncFailure; readonly sinceMs: number };
  readonly retryAtMs?: number;
  readonly deployed?: DeployedServer;
  readonly workload?: WorkloadFacts;
  /** A server is up, but has no store to announce yet. */
  readonly delayed?: ServerTrouble<Reason>;
}

export const NOT_PROVISIONED: ProvisioningState = { attemptCount: 0 };

const FIRST_BACKOFF_MS = 5_000;
const LONGEST_BACKOFF_MS = 5 * 60_000;
/** Drift so soon after a repair means that another writer sets the same fields. */
const CONTESTED_WITHIN_MS = 60_000;
/** So many repairs in a row follow at once: several objects may have been deleted one after the other. */
const QUICK_REPAIRS = 3;
const QUICK_REPAIR_MS = 1_000;
/** From this repair in a row on, the contender is named. */
const NAMED_FROM_REPAIR = 3;
/** A running server counts as failed only after the API server has refused for this long. */
const PASSING_MS = 2 * 60_000;
/** An operator of another release took the task: the right one gets it next. */
const OTHER_RELEASE_RETRY_MS = 2_000;

/** Identifies a plan together with the site of the operator that made it: a plan of another site never counts as carried out. */
export function provisionKey({ digest, site }: ProvisionPlan): string {
  return site ? `${site.digest} ${digest}` : digest;
}

/** Returns when the plan is to be carried out; undefined when there is nothing to do. */
export function provisionDueAtMs(state: ProvisioningState, plan: ProvisionPlan): number | undefined {
  if (state.tried !== provisionKey(plan) || state.toldTrigger !== plan.triggerToken) return 0;
  const times = [state.repairAtMs, state.retryAtMs].filter((time) => time !== undefined);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/**
 * Notes drift. It is repaired at once; while repairs do not last, a few times after a second, then with exponential backoff
 * (5 s to 5 min).
 */
export function driftNoticed(state: ProvisioningState, nowMs: number): ProvisioningState {
  if (state.repairAtMs !== undefined) return state;
  const isContested = nowMs - (state.repairedAtMs ?? 0) < CONTESTED_WITHIN_MS + repairPauseMs(state.repairs ?? 0);
  if (!isContested) {
    const { contenders: _contenders, ...rest } = state;
    return { ...rest, repairs: 0, repairAtMs: nowMs };
  }
  const repairs = (state.repairs ?? 0) + 1;
  return { ...state, repairs, repairAtMs: nowMs + repairPauseMs(repairs) };
}

/** Reports whether it is time to find out who else writes what was made. */
export function isContested({ repairs = 0 }: ProvisioningState): boolean {
  return repairs >= NAMED_FROM_REPAIR;
}

/** Returns when it is clear that the last repair has lasted; undefined while there is no contest. */
export function contestOverAtMs({ contenders, repairedAtMs = 0, repairs = 0 }: ProvisioningState): number | undefined {
  return contenders && repairedAtMs + CONTESTED_WITHIN_MS + repairPauseMs(repairs);
}

export function contestOver(state: ProvisioningState): ProvisioningState {
  const { contenders: _contenders, ...rest } = state;
  return { ...rest, repairs: 0 };
}

export function contendersFound(state: ProvisioningState, contenders: readonly Notice[]): ProvisioningState {
  return { ...state, contenders };
}

/** What failed before stays visible until it is known how this attempt ends. */
export function provisionStarted(state: ProvisioningState, plan: ProvisionPlan, nowMs: number): ProvisioningState {
  const { repairAtMs, retryAtMs: _retry, toldTrigger: _told, ...rest } = state;
  return {
    ...rest,
    tried: provisionKey(plan),
    ...(repairAtMs !== undefined && { repairedAtMs: nowMs }),
    ...(plan.triggerToken !== undefined && { toldTrigger: plan.triggerToken }),
  };
}

export function provisioned(state: ProvisioningState, key: string, deployed: DeployedServer): ProvisioningState {
  const { failure: _failure, passing: _passing, ...rest } = state;
  return { ...rest, done: key, deployed, attemptCount: 0 };
}

/**
 * Takes in a failed attempt. It is repeated even when it is definite for now, since the object in the way may go; only what the
 * user must edit waits for that. A passing failure over a plan that is carried out changes nothing for two minutes.
 */
export function provisionFailed(
  state: ProvisioningState,
  failure: SyncFailure,
  nowMs: number,
  random: number,
): ProvisioningState {
  if (failure.reason === 'OtherRelease') return { ...state, retryAtMs: nowMs + OTHER_RELEASE_RETRY_MS };
  const attemptCount = state.attemptCount + 1;
  const retryAtMs = nowMs + backoffMs(attemptCount) * (0.9 + random * 0.2);
  const isPassing = failure.destiny === 'retry' && state.done !== undefined && state.done === state.tried;
  const sinceMs = state.passing?.sinceMs ?? nowMs;
  if (isPassing && nowMs - sinceMs < PASSING_MS) {
    return { ...state, attemptCount, retryAtMs, passing: { failure, sinceMs } };
  }
  const { done: _done, passing: _passing, ...rest } = state;
  return { ...rest, failure, attemptCount, ...(failure.destiny !== 'stop' && { retryAtMs }) };
}

function backoffMs(attempt: number): number {
  return attempt === 0 ? 0 : Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
}

function repairPauseMs(repairs: number): number {
  if (repairs === 0) return 0;
  return repairs <= QUICK_REPAIRS ? QUICK_REPAIR_MS : backoffMs(repairs - QUICK_REPAIRS);
}

/** The same twice is the same state, so that it wakes no task. */
export function workloadSeen(state: ProvisioningState, workload: WorkloadFacts): ProvisioningState {
  return JSON.stringify(state.workload) === JSON.stringify(workload) ? state : { ...state, workload };
}

export function storeDelayed(state: ProvisioningState, delayed: ServerTrouble<Reason>): ProvisioningState {
  return JSON.stringify(state.delayed) === JSON.stringify(delayed) ? state : { ...state, delayed };
}

export function storeAnnounced({ delayed: _delayed, ...rest }: ProvisioningState): ProvisioningState {
  return rest;
}

export function summarizeServer(registry: RegistryRef, state: ProvisioningState, plan: ProvisionPlan): ServerFacts {
  const { failure, workload, delayed, deployed } = state;
  return {
    endpoint: serverEndpoint(registry),
    podTemplate: plan.podTemplate,
    provisioned: state.done === provisionKey(plan),
    ...(deployed && { podHash: deployed.podHash }),
    ...(failure && {
      failure: {
        reason: failure.reason,
        message: failure.message,
        ...(failure.notice && { notice: failure.notice }),
      },
    }),
    // Facts about an earlier pod template say nothing about the pods that are wanted now.
    ...(workload && { workload: { ...workload, live: workload.live && workload.podHash === deployed?.podHash } }),
    ...(delayed && { delayed }),
    warnings: [...(deployed?.warnings ?? []), ...(state.contenders ?? []), ...passingNotice(state)],
  };
}

function passingNotice({ passing }: ProvisioningState): Notice[] {
  return passing ? [{ reason: 'ProvisioningDelayed', message: passing.failure.message }] : [];
}
