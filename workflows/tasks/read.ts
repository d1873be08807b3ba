import type { RegistryLife } from '../registry-life.js';
import { desiredRead, readDue, readFailed } from '../state/resource.js';
import type { Task } from './task.js';

/** Reads the desired state of the resource whenever it may have changed. */
export const readTask: Task<RegistryLife> = {
  name: 'read',
  due: (life, nowMs) => (readDue(life.state, nowMs) ? [{ key: 'resource', run: () => read(life) }] : []),
};

async function read(life: RegistryLife): Promise<void> {
  const { runtime } = life;
  const { registry, site } = life.state;
  life.update((state) => ({ ...state, stale: false }));
  try {
    const desired = await runtime.registry.readDesiredState(registry, ...(site ? [site] : []));
    life.update((state) => desiredRead(state, desired, runtime.nowMs()));
  } catch {
    // If a message has arrived in the meantime, the resource is read again immediately, without a delay.
    if (!life.state.stale) life.update((state) => readFailed(state, runtime.nowMs()));
  }
}
