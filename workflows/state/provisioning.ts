import { backoffMs } from '#domain/backoff.js';
import type { DeployedServer, ProvisionPlan } from '#activities/contract.js';
import type { Notice } from '#domain/notice.js';
import type { ServerFacts } from '#domain/status/registry-facts.js';
import type { Reason } from '#domain/reasons.js';
import { serverEndpoint } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncFailure } from '#domain/sync.js';
import type { ServerTrouble, WorkloadFacts } from '#domain/workload.js';

/** The state of the server that runs for a registry, and the decisions about it. */
export interface ProvisioningState {
  /** Key of the last plan that was attempted. */
  readonly tried?: string;
  /** The sync trigger that was last passed to the server, or is being passed now. */
  readonly toldTrigger?: string;
  /** Key of the last plan that was completed. */
  readonly done?: string;
  /** Time at which the provisioned objects are repaired, because they have been changed or removed. */
  readonly repairAtMs?: number;
  /** Time at which the last repair was started. */
  readonly repairedAtMs?: number;
  /** Number of consecutive repairs, each needed soon after the previous one. */
  readonly repairs?: number;
  /** The other writers of the provisioned objects, as long as they keep writing. */
  readonly contenders?: readonly Notice[];
  /** Number of failed attempts since the last success. */
  readonly attemptCount: number;
  readonly failure?: SyncFailure;
  /**
   * A transient failure although the plan has been completed. It is not shown as a failure until it has lasted for a
   * while.
   */
  readonly passing?: { readonly failure: SyncFailure; readonly sinceMs: number };
  readonly retryAtMs?: number;
  readonly deployed?: DeployedServer;
  readonly workload?: WorkloadFacts;
  /** The reason why a running server has no store to announce yet. */
  readonly delayed?: ServerTrouble<Reason>;
}

export const NOT_PROVISIONED: ProvisioningState = { attemptCount: 0 };

const BACKOFF = { firstMs: 5_000, longestMs: 5 * 60_000 };
/** If drift occurs within this time after a repair, another writer sets the same fields. */
const CONTESTED_WITHIN_MS = 60_000;
/**
 * Number of consecutive repairs that follow quickly, because several objects may have been deleted one after another.
 */
const QUICK_REPAIRS = 3;
const QUICK_REPAIR_MS = 1_000;
/** Number of consecutive repairs after which the status names the other writer. */
const NAMED_FROM_REPAIR = 3;
/** A running server is reported as failed only after the API server has refused for this long. */
const PASSING_MS = 2 * 60_000;
/** Delay before a retry if an operator of another release took the task. The right operator takes it next. */
const OTHER_RELEASE_RETRY_MS = 2_000;

/**
 * Returns the key of a plan, which includes the site of the operator that made it, so that a plan of another site never
 * counts as completed.
 */
export function provisionKey({ digest, site }: ProvisionPlan): string {
  return site ? `${site.digest} ${digest}` : digest;
}

/** Returns the time at which the plan must be executed, or undefined if there is nothing to do. */
export function provisionDueAtMs(state: ProvisioningState, plan: ProvisionPlan): number | undefined {
  if (state.tried !== provisionKey(plan) || state.toldTrigger !== plan.triggerToken) return 0;
  const times = [state.repairAtMs, state.retryAtMs].filter((time) => time !== undefined);
  return times.length > 0 ? Math.min(...times) : undefined;
}

/**
 * Records drift. It is repaired immediately. If repairs do not last, the next few follow after a second, then with
 * exponential backoff (5 s to 5 min).
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

/** Returns whether to look for the other writers of the provisioned objects. */
export function isContested({ repairs = 0 }: ProvisioningState): boolean {
  return repairs >= NAMED_FROM_REPAIR;
}

/** Returns the time at which the last repair is considered lasting, or undefined if there are no other writers. */
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

/** Records the start of an attempt. An earlier failure stays visible until the result of this attempt is known. */
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
 * Records a failed attempt. It is retried even if the failure seems permanent, because the object that blocks it may be
 * removed. If only an edit by the user can help, it waits for that. A transient failure after the plan has been
 * completed changes nothing for two minutes.
 */
export function provisionFailed(
  state: ProvisioningState,
  failure: SyncFailure,
  nowMs: number,
  random: number,
): ProvisioningState {
  if (failure.reason === 'OtherRelease') return { ...state, retryAtMs: nowMs + OTHER_RELEASE_RETRY_MS };
  const attemptCount = state.attemptCount + 1;
  const retryAtMs = nowMs + backoffMs(BACKOFF, attemptCount) * (0.9 + random * 0.2);
  const isPassing = failure.destiny === 'retry' && state.done !== undefined && state.done === state.tried;
  const sinceMs = state.passing?.sinceMs ?? nowMs;
  if (isPassing && nowMs - sinceMs < PASSING_MS) {
    return { ...state, attemptCount, retryAtMs, passing: { failure, sinceMs } };
  }
  const { done: _done, passing: _passing, ...rest } = state;
  return { ...rest, failure, attemptCount, ...(failure.destiny !== 'stop' && { retryAtMs }) };
}

function repairPauseMs(repairs: number): number {
  if (repairs === 0) return 0;
  return repairs <= QUICK_REPAIRS ? QUICK_REPAIR_MS : backoffMs(BACKOFF, repairs - QUICK_REPAIRS);
}

/** Records the state of the workload. Equal facts return the same state, so that they do not wake the loop. */
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
