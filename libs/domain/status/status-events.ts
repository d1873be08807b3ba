import { isWarning } from '../notice.js';
import { AWAITED, isReason } from '../reasons.js';
import type { Condition, RegistryStatus, SourceStatus } from './registry-status.js';

/** Something that happened to a registry, reported as a Kubernetes Event. */
export interface StatusEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Returns the events for the transition between two statuses of a registry; none if only times and counts changed. */
export function statusEvents(before: RegistryStatus | undefined, now: RegistryStatus): StatusEvent[] {
  return [
    ...lifeEvents(before, now),
    ...conditionEvents(before, now),
    ...noticeEvents(before, now),
    ...(now.syncStatus?.sources ?? []).flatMap((source) =>
      sourceEvents(
        before?.syncStatus?.sources.find(({ name }) => name === source.name),
        source,
      ),
    ),
  ];
}

function lifeEvents(before: RegistryStatus | undefined, now: RegistryStatus): StatusEvent[] {
  if (!before) return [normal('Created', 'The operator manages this registry')];
  const events: StatusEvent[] = [];
  if (before.observedGeneration !== now.observedGeneration && !isRefused(now)) {
    events.push(normal('Updated', `Generation ${now.observedGeneration} of the spec is in effect`));
  }
  if (now.lastManualSyncTrigger !== undefined && before.lastManualSyncTrigger !== now.lastManualSyncTrigger) {
    events.push(
      normal('SyncStarted', `Trigger ${JSON.stringify(now.lastManualSyncTrigger)} starts a sync of every source`),
    );
  }
  return events;
}

/** Returns whether the spec is invalid, so that the previous one is still in effect. */
function isRefused({ conditions }: RegistryStatus): boolean {
  return conditions.some(({ type, reason }) => type === 'Ready' && reason === 'ValidationFailed');
}

/** Reasons for which other events are more specific. */
const SAID_ELSEWHERE = new Set(['NotReady', 'Pending', 'APINotReady']);

function conditionEvents(before: RegistryStatus | undefined, now: RegistryStatus): StatusEvent[] {
  return now.conditions.flatMap((condition) => {
    const { type, status, reason, message } = condition;
    const previous = before?.conditions.find((each) => each.type === type);
    if (type === 'Ready' && status === 'True') return previous?.status === 'True' ? [] : [normal('Ready', message)];
    if (status !== 'False' || SAID_ELSEWHERE.has(reason) || saysTheSame(previous, condition)) return [];
    if (type === 'SourceAvailable')
      return isReason(reason) && AWAITED.includes(reason) ? [warning('ReferenceNotFound', message)] : [];
    // Conditions of syncs are reported per source.
    if (type === 'DataValid' || type === 'SyncSuccessful') return [];
    // Ready only repeats the reason why the server is not available.
    if (type === 'Ready' && reason !== 'ValidationFailed') return [];
    return [warning(reason, message)];
  });
}

function saysTheSame(previous: Condition | undefined, { reason, message, status }: Condition): boolean {
  return previous?.status === status && previous.reason === reason && previous.message === message;
}

function noticeEvents(before: RegistryStatus | undefined, { notices = [] }: RegistryStatus): StatusEvent[] {
  const said = new Set(before?.notices?.map(({ reason, message }) => `${reason} ${message}`));
  return notices
    .filter(({ reason, message }) => !said.has(`${reason} ${message}`))
    .map((notice) => (isWarning(notice) ? warning : normal)(notice.reason, notice.message));
}

function sourceEvents(before: SourceStatus | undefined, now: SourceStatus): StatusEvent[] {
  const { name, phase, message, serverCount = 0 } = now;
  if (phase === 'Failed') {
    return before?.phase === 'Failed' && before.message === message
      ? []
      : [warning('SyncFailed', `${name}: ${message ?? 'the sync failed'}`)];
  }
  if (phase !== 'Complete') return [];
  const isNews = before?.lastSyncHash !== now.lastSyncHash || before?.attemptCount !== now.attemptCount;
  return isNews ? [normal('SyncSucceeded', `${name}: ${serverCount} servers are served`)] : [];
}

const normal = (reason: string, message: string): StatusEvent => ({ type: 'Normal', reason, message });
const warning = (reason: string, message: string): StatusEvent => ({ type: 'Warning', reason, message });
