import type { Client } from '@temporalio/client';

/**
 * The history events that count as actions, the unit that Temporal Cloud bills
 * (docs.temporal.io/evaluate/cloud/actions).
 */
const ACTIONS = {
  'workflow started': 'workflowExecutionStartedEventAttributes',
  'timer started': 'timerStartedEventAttributes',
  'activity started': 'activityTaskStartedEventAttributes',
  signal: 'workflowExecutionSignaledEventAttributes',
  update: 'workflowExecutionUpdateAcceptedEventAttributes',
  'memo written': 'workflowPropertiesModifiedEventAttributes',
} as const;

export type ActionName = keyof typeof ACTIONS;
export const ACTION_NAMES = Object.keys(ACTIONS) as ActionName[];

/** Events and actions of all workflow runs up to a point in time. */
export interface Tally {
  readonly events: number;
  /** Number of workflow runs that sync a source. */
  readonly syncs: number;
  readonly actions: Readonly<Record<ActionName, number>>;
}

/** Counts the events and actions in the histories of all workflows of the namespace. */
export async function tally(client: Client): Promise<Tally> {
  let events = 0;
  let syncs = 0;
  const actions = Object.fromEntries(ACTION_NAMES.map((name) => [name, 0])) as Record<ActionName, number>;
  for await (const { workflowId, runId, type } of client.workflow.list()) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    syncs += type === 'syncSource' ? 1 : 0;
    events += history.events?.length ?? 0;
    for (const event of history.events ?? []) {
      for (const name of ACTION_NAMES) actions[name] += event[ACTIONS[name]] ? attemptsOf(event) : 0;
    }
  }
  return { events, syncs, actions };
}

/** A retried activity has one event for all its attempts. */
function attemptsOf(event: {
  readonly activityTaskStartedEventAttributes?: { readonly attempt?: number | null } | null;
}) {
  return event.activityTaskStartedEventAttributes?.attempt ?? 1;
}

/** Returns what was added between two tallies. */
export function between(before: Tally, after: Tally): Tally {
  const actions = Object.fromEntries(
    ACTION_NAMES.map((name) => [name, after.actions[name] - before.actions[name]]),
  ) as Record<ActionName, number>;
  return { events: after.events - before.events, syncs: after.syncs - before.syncs, actions };
}
