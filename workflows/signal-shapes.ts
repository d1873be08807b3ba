import type { Site } from '#activities/contract.js';
import type { Notice } from '#domain/notice.js';
import { isReason } from '#domain/reasons.js';
import type { Reason } from '#domain/reasons.js';
import type { SyncNowRequest } from '#domain/server-messages.js';
import { SYNC_TRIGGERS } from '#domain/sync.js';
import type { EntryCounts, Store, StoredContent, SyncFailure, SyncOutcome } from '#domain/sync.js';
import type { ReaderFacts, ServerTrouble, WorkloadFacts } from '#domain/workload.js';
import type { Nudge } from './messages.js';
import { bool, count, listOf, message, name, object, oneOf, optional, time, which } from './shapes.js';
import type { Reader } from './shapes.js';

/**
 * The shapes of messages. Another release, or anybody with access to the namespace, may send anything, so messages of
 * another shape are dropped.
 */

export const site = object<Site>({ digest: name, startedAtMs: time });

export const nudge = object<Nudge>({
  generation: count,
  triggerToken: optional(message),
  drift: optional(bool),
  site: optional(site),
});

export const store = object<Store>({ id: name, taskQueue: name, heartbeatTimeoutMs: optional(count) });

export const reason = which<Reason>(isReason);

export const trouble = object<ServerTrouble<Reason>>({ pod: name, reason, message });

export const workload = object<WorkloadFacts>({
  podHash: optional(name),
  readyReplicas: count,
  wantedReplicas: optional(count),
  live: bool,
  awaited: optional(name),
  trouble: optional(message),
  readers: optional(object<ReaderFacts>({ replicas: count, readyReplicas: count, selector: name })),
});

const stored = { served: count, hidden: count, quarantined: count };

export const trigger = oneOf(SYNC_TRIGGERS);

export const notice = object<Notice>({ reason: name as Reader<Notice['reason']>, message });

export const failure = object<SyncFailure>({
  reason,
  message,
  destiny: oneOf(['retry', 'wait', 'stop']),
  notice: optional(name as Reader<NonNullable<SyncFailure['notice']>>),
  retryAfterMs: optional(time),
  overtakenBy: optional(count),
});

export const outcome = object<SyncOutcome>({
  source: name,
  run: count,
  storeId: name,
  taskQueue: optional(name),
  trigger,
  startedAt: time,
  finishedAt: time,
  revision: optional(name),
  contentHash: optional(name),
  counts: optional(
    object<EntryCounts>({
      ...stored,
      added: count,
      updated: count,
      removed: count,
      unchanged: count,
      nullsDropped: optional(count),
      versionsAssumed: optional(count),
    }),
  ),
  stored: optional(object<StoredContent>({ ...stored, contentHash: optional(name) })),
  quarantinedEntries: optional(listOf(message, 100)),
  notice: optional(notice),
  failure: optional(failure),
});

export const syncNowRequest = object<SyncNowRequest>({
  source: optional(name),
  trigger: optional(oneOf(['manual', 'change', 'push'])),
});
