import type { RegistryLife } from '../registry-life.js';
import { SYNC_DEADLINE_MS } from '../activity-options.js';
import { dueSyncs } from '../state/agenda.js';
import { findRunning, overdue, runningSyncs, started, toSyncRequest, unreported } from '../state/syncs.js';
import type { DueSync, SyncRun } from '../state/syncs.js';
import { toSyncFailure } from '../sync-failure.js';
import type { Task } from './task.js';

/** A report that is still on its way when its sync has ended arrives within this time. */
const REPORT_GRACE_MS = 5_000;

/**
 * Starts a sync of each source that is due, and gives up those that have not reported in time. Also asks the server
 * about syncs that an earlier run of the workflow started, because there is no other way to learn that one of them was
 * terminated.
 */
export const syncTask: Task<RegistryLife> = {
  name: 'sync',
  due: (life, nowMs) => [
    ...overdue(life.state, nowMs).map((outcome) => ({
      key: `overdue ${outcome.run}`,
      run: async () => life.settle(outcome),
    })),
    ...runningSyncs(life.state, ({ run }) => (life.lookDueAtMs(run) ?? Infinity) <= nowMs).map((sync) => ({
      key: `look ${sync.run}`,
      run: () => look(life, sync),
    })),
    ...dueSyncs(life.state, nowMs).map((sync) => ({
      key: `${sync.storeId} ${sync.source}`,
      run: () => start(life, sync),
    })),
  ],
};

async function start(life: RegistryLife, sync: DueSync): Promise<void> {
  const { runtime } = life;
  const run = life.state.nextRun;
  const request = toSyncRequest(life.state, sync);
  if (!request) return;
  const startedAtMs = runtime.nowMs();
  life.update((state) => started(state, sync, startedAtMs, startedAtMs + SYNC_DEADLINE_MS));
  life.starting.add(run);
  life.watched.add(run);
  try {
    const { ended } = await runtime.startSync(request);
    void ended.then(() => settleUnreported(life, { source: sync.source, run })).finally(() => life.watched.delete(run));
  } catch (error) {
    life.watched.delete(run);
    const { source, trigger, storeId } = sync;
    const times = { startedAt: startedAtMs, finishedAt: runtime.nowMs() };
    life.settle({ source, run, trigger, storeId, ...times, failure: toSyncFailure(error) });
  } finally {
    life.starting.delete(run);
  }
}

async function look(life: RegistryLife, sync: SyncRun): Promise<void> {
  life.noteLook(sync.run);
  if (!(await life.runtime.isSyncOpen(sync))) await settleUnreported(life, sync);
}

/** Settles a run that ended without a report, for example because it was terminated. */
async function settleUnreported(life: RegistryLife, sync: SyncRun): Promise<void> {
  if (!findRunning(life.state, sync)) return;
  await life.runtime.sleep(REPORT_GRACE_MS);
  const running = findRunning(life.state, sync);
  if (running) life.settle(unreported(sync.source, running.storeId, running, life.runtime.nowMs()));
}
