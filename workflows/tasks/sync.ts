import type { RegistryLife } from '../registry-life.js';
import { SYNC_DEADLINE_MS } from '../activity-options.js';
import { dueSyncs } from '../state/agenda.js';
import { isRunning, overdue, started, toSyncRequest, unreported } from '../state/syncs.js';
import type { DueSync } from '../state/syncs.js';
import { toSyncFailure } from '../sync-failure.js';
import type { Task } from './task.js';

/** A report that is on its way when its sync has ended arrives within this time. */
const REPORT_GRACE_MS = 5_000;

/** Starts a sync of each source that is due, and gives up those that have not reported in time. */
export const syncTask: Task<RegistryLife> = {
  name: 'sync',
  due: (life, nowMs) => [
    ...overdue(life.state, nowMs).map((outcome) => ({
      key: `overdue ${outcome.run}`,
      run: async () => life.settle(outcome),
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
    void ended.then(() => settleUnreported(life, sync, run, startedAtMs)).finally(() => life.watched.delete(run));
  } catch (error) {
    life.watched.delete(run);
    const { source, trigger, storeId } = sync;
    const times = { startedAt: startedAtMs, finishedAt: runtime.nowMs() };
    life.settle({ source, run, trigger, storeId, ...times, failure: toSyncFailure(error) });
  } finally {
    life.starting.delete(run);
  }
}

/** Settles a run that has ended without a report, such as one that was terminated. */
async function settleUnreported(life: RegistryLife, sync: DueSync, run: number, startedAtMs: number): Promise<void> {
  if (!isRunning(life.state, sync, run)) return;
  await life.runtime.sleep(REPORT_GRACE_MS);
  if (!isRunning(life.state, sync, run)) return;
  const { source, storeId, trigger } = sync;
  life.settle(unreported(source, storeId, { run, trigger, startedAtMs }, life.runtime.nowMs()));
}
