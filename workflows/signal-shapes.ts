import { isReason } from '#domain/reasons.js';
import type { SyncNowRequest } from '#domain/server-messages.js';
import { SYNC_TRIGGERS } from '#domain/sync.js';
import type { Store, SyncOutcome } from '#domain/sync.js';
import type { ServerTrouble, WorkloadFacts } from '#domain/workload.js';
import type { Nudge } from './messages.js';

/**
 * The shapes of messages: another release, or anybody with access to the namespace, may send anything, and what does not
 * fit is dropped. Small predicates, since a schema library is too heavy for workflow code.
 */

type Shape = (value: unknown) => boolean;

const TEXT_LIMIT = 16_384;
const NAME_LIMIT = 1_024;

const optional =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || shape(value);
const text =
  (limit: number): Shape =>
  (value) =>
    typeof value === 'string' && value.length <= limit;
const name: Shape = (value) => text(NAME_LIMIT)(value) && value !== '';
const message = text(TEXT_LIMIT);
const time: Shape = (value) => Number.isFinite(value) && (value as number) >= 0;
const count: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const bool: Shape = (value) => typeof value === 'boolean';
const oneOf =
  (values: readonly unknown[]): Shape =>
  (value) =>
    values.includes(value);
const listOf =
  (shape: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.length <= 100 && value.every(shape);
const object =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(fields).every(([field, shape]) => shape((value as Record<string, unknown>)[field]));

const nudge = object({
  generation: count,
  triggerToken: optional(message),
  drift: optional(bool),
  site: optional(object({ digest: name, startedAtMs: time })),
});

const store = object({ id: name, taskQueue: name, heartbeatTimeoutMs: optional(count) });

const trouble = object({ pod: name, reason: isReason, message });

const workload = object({
  podHash: optional(name),
  readyReplicas: count,
  live: bool,
  awaited: optional(name),
  trouble: optional(message),
  readers: optional(object({ replicas: count, readyReplicas: count, selector: name })),
});

const stored = { served: count, hidden: count, quarantined: count };

const outcome = object({
  source: name,
  run: count,
  storeId: name,
  taskQueue: optional(name),
  trigger: oneOf(SYNC_TRIGGERS),
  startedAt: time,
  finishedAt: time,
  revision: optional(name),
  contentHash: optional(name),
  counts: optional(object({ ...stored, added: count, updated: count, removed: count, unchanged: count })),
  stored: optional(object({ ...stored, contentHash: optional(name) })),
  quarantinedEntries: optional(listOf(message)),
  notice: optional(object({ reason: name, message })),
  failure: optional(
    object({
      reason: isReason,
      message,
      destiny: oneOf(['retry', 'wait', 'stop']),
      notice: optional(name),
      retryAfterMs: optional(time),
      overtakenBy: optional(count),
    }),
  ),
});

const syncNow = object({ source: optional(name), trigger: optional(oneOf(['manual', 'change', 'push'])) });

export const isNudge = (value: unknown): value is Nudge => nudge(value);
export const isStore = (value: unknown): value is Store => store(value);
export const isTrouble = (value: unknown): value is ServerTrouble<never> => trouble(value);
export const isWorkload = (value: unknown): value is WorkloadFacts => workload(value);
export const isOutcome = (value: unknown): value is SyncOutcome => outcome(value);
export const isSyncNowRequest = (value: unknown): value is SyncNowRequest => syncNow(value);
