import type { DeployedServer, DesiredState, ProvisionPlan } from '#activities/contract.js';
import { SOURCE_FORMATS } from '#domain/source-format.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { STORES_MEMO } from '#domain/server-messages.js';
import type { SourcePlan, Store, SyncRequest } from '#domain/sync.js';
import {
  bool,
  count,
  listOf,
  message,
  name,
  object,
  oneOf,
  optional,
  planText,
  recordOf,
  time,
  yes,
} from './shapes.js';
import { failure, notice, site, store, trigger, trouble, workload } from './signal-shapes.js';
import type { ProvisioningState } from './state/provisioning.js';
import { MOST_STORES } from './state/registry-state.js';
import type { RegistryState, ReportState, RunningSync, SourceState, StoreState } from './state/registry-state.js';
import type { SyncRun } from './state/syncs.js';

/**
 * The shapes of the input of a workflow. They are checked because every client of the Temporal namespace can start a
 * workflow, and the input stays in the memory of the operator for as long as the workflow lives.
 */

const registry = object<RegistryRef>({ namespace: name, name, uid: name });

const plan = object<SourcePlan>({
  name,
  type: name,
  address: message,
  format: oneOf(SOURCE_FORMATS),
  intervalMs: optional(time),
  notice: optional(notice),
  specHash: name,
  filterHash: name,
  builtIn: optional(yes),
  mayBeEmpty: optional(yes),
  referenceHash: message,
});

const desired = object<DesiredState>({
  generation: count,
  deleting: bool,
  triggerToken: optional(message),
  sources: listOf(plan),
  invalid: optional(message),
  notices: optional(listOf(notice)),
  provision: optional(
    object<ProvisionPlan>({
      site: optional(site),
      digest: name,
      podTemplate: bool,
      triggerToken: optional(message),
    }),
  ),
});

const running = object<RunningSync>({
  run: count,
  trigger,
  startedAtMs: time,
  quiet: optional(object<NonNullable<RunningSync['quiet']>>({ lastAttemptAtMs: optional(time), dueAtMs: time })),
  filterHash: optional(name),
  deadlineMs: time,
  superseded: optional(yes),
  again: optional(trigger),
});

const source = object<SourceState>({
  planned: message,
  due: optional(object<NonNullable<SourceState['due']>>({ atMs: time, trigger })),
  running: optional(running),
  lastRun: optional(count),
  attemptCount: count,
  lastAttemptAtMs: optional(time),
  lastSync: optional(
    object<NonNullable<SourceState['lastSync']>>({
      atMs: time,
      hash: optional(name),
      revision: optional(name),
      servers: optional(count),
      quarantined: optional(count),
      quarantinedEntries: optional(listOf(message, 100)),
      notice: optional(notice),
      filterHash: optional(name),
    }),
  ),
  failure: optional(failure),
});

const storeState = object<StoreState>({
  store,
  openedAtMs: time,
  lost: optional(yes),
  adoptedPlan: optional(planText),
  adopting: optional(bool),
  retryAdoptionAtMs: optional(time),
  adoptionFailure: optional(failure),
  planLostAtMs: optional(time),
  sources: recordOf(source),
});

const provisioning = object<ProvisioningState>({
  tried: optional(planText),
  toldTrigger: optional(message),
  done: optional(planText),
  repairAtMs: optional(time),
  repairedAtMs: optional(time),
  repairs: optional(count),
  contenders: optional(listOf(notice)),
  attemptCount: count,
  failure: optional(failure),
  passing: optional(object<NonNullable<ProvisioningState['passing']>>({ failure, sinceMs: time })),
  retryAtMs: optional(time),
  deployed: optional(object<DeployedServer>({ podHash: name, warnings: listOf(notice) })),
  workload: optional(workload),
  delayed: optional(trouble),
});

export const registryState = object<RegistryState>({
  registry,
  stale: bool,
  retryReadAtMs: optional(time),
  failedReads: optional(count),
  desired: optional(desired),
  gone: optional(yes),
  handledTrigger: optional(message),
  stores: recordOf(storeState, MOST_STORES),
  nextRun: count,
  abandoned: optional(listOf(object<SyncRun>({ source: name, run: count }))),
  report: object<ReportState>({
    digest: message,
    atMs: time,
    failures: optional(count),
    readyGeneration: optional(count),
  }),
  provisioning: optional(provisioning),
  site: optional(site),
});

export const syncRequest = object<SyncRequest>({
  registry,
  source: name,
  address: message,
  run: count,
  trigger,
  store,
  mayBeEmpty: optional(yes),
  refilter: optional(yes),
  triggerToken: optional(message),
});

interface RegistryMemo {
  readonly registry?: string;
  readonly stores?: readonly Store[];
}

/** The memo of a workflow, which is shown in lists of workflows and kept in memory with them. */
export const registryMemo = object<RegistryMemo>({
  registry: optional(name),
  [STORES_MEMO]: optional(listOf(store, MOST_STORES)),
});

export const MEMO_KEYS: ReadonlySet<string> = new Set<keyof RegistryMemo>(['registry', STORES_MEMO]);
