import type { RegistryLife } from '../registry-life.js';
import { forgetAbandoned, unwantedSyncs } from '../state/syncs.js';
import type { SyncRun } from '../state/syncs.js';
import type { Task } from './task.js';

/**
 * Cancels each sync whose plan has changed or whose source was removed from the spec. The sync reports its outcome as
 * usual.
 */
export const cancelTask: Task<RegistryLife> = {
  name: 'cancel',
  due: (life) =>
    unwantedSyncs(life.state)
      .filter(({ run }) => !life.ending.has(run))
      .map((sync) => ({ key: String(sync.run), run: () => cancel(life, sync) })),
};

async function cancel(life: RegistryLife, sync: SyncRun): Promise<void> {
  life.ending.add(sync.run);
  // If the request could not be delivered, the next run of this workflow repeats it.
  if (await life.runtime.cancelSync(sync)) life.update((state) => forgetAbandoned(state, sync.run));
}
