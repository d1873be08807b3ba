import type { DeployedServer, ProvisionPlan } from '#activities/contract.js';
import type { ServerFacts } from '#domain/status/registry-facts.js';
import type { Reason } from '#domain/reasons.js';
import { serverEndpoint } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncFailure } from '#domain/sync.js';
import type { ServerTrouble, WorkloadFacts } from '#domain/workload.js';

/** What a registry's life remembers of the server that is run for it, and the decisions over it. */
export interface ProvisioningState {
  /** Digest of the plan that was tried last. */
  readonly tried?: string;
  /** The sync trigger that the server was told of last, or is being told of. */
  readonly toldTrigger?: string;
  /** Digest of the plan that was followed last, whole. */
  readonly done?: string;
  /** Somebody changed or removed what was made. */
  readonly drifted?: true;
  /** Failed attempts since the last success. */
  readonly attemptCount: number;
  readonly failure?: SyncFailure;
  readonly retryAtMs?: number;
  readonly deployed?: DeployedServer;
  readonly workload?: WorkloadFacts;
  /** A server is up, but has no store to announce yet. */
  readonly delayed?: ServerTrouble<Reason>;
}

export const NOT_PROVISIONED: ProvisioningState = { attemptCount: 0 };

const FIRST_BACKOFF_MS = 5_000;
const LONGEST_BACKOFF_MS = 5 * 60_000;

export function provisionDue(state: ProvisioningState, plan: ProvisionPlan | undefined, nowMs: number): boolean {
  if (!plan) return false;
  const isNews = state.tried !== plan.digest || state.toldTrigger !== plan.triggerToken;
  return isNews || state.drifted === true || (state.retryAtMs ?? Infinity) <= nowMs;
}

export function driftNoticed(state: ProvisioningState): ProvisioningState {
  return { ...state, drifted: true };
}

/** What failed before stays told until it is known how this attempt ends. */
export function provisionStarted(state: ProvisioningState, { digest, triggerToken }: ProvisionPlan): ProvisioningState {
  const { drifted: _drifted, retryAtMs: _retry, toldTrigger: _told, ...rest } = state;
  return { ...rest, tried: digest, ...(triggerToken !== undefined && { toldTrigger: triggerToken }) };
}

export function provisioned(state: ProvisioningState, digest: string, deployed: DeployedServer): ProvisioningState {
  const { failure: _failure, ...rest } = state;
  return { ...rest, done: digest, deployed, attemptCount: 0 };
}

/** Tried again even when it is definite for now: the object in the way may go. Only what the user must edit waits for that. */
export function provisionFailed(
  state: ProvisioningState,
  failure: SyncFailure,
  nowMs: number,
  random: number,
): ProvisioningState {
  const attemptCount = state.attemptCount + 1;
  const { done: _done, ...rest } = state;
  if (failure.destiny === 'stop') return { ...rest, failure, attemptCount };
  const backoffMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attemptCount - 1));
  return { ...rest, failure, attemptCount, retryAtMs: nowMs + backoffMs * (0.9 + random * 0.2) };
}

/** The same twice is the same state, so that it wakes nobody. */
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
    provisioned: state.done === plan.digest,
    ...(deployed && { podHash: deployed.podHash }),
    ...(failure && {
      failure: {
        reason: failure.reason,
        message: failure.message,
        ...(failure.notice && { notice: failure.notice }),
      },
    }),
    // Of an earlier pod template, it says nothing about the pods that are wanted now.
    ...(workload && { workload: { ...workload, live: workload.live && workload.podHash === deployed?.podHash } }),
    ...(delayed && { delayed }),
    warnings: deployed?.warnings ?? [],
  };
}
