import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from './random.js';
import type { Rig } from './rig.js';

const PAUSE_MS = { least: 1_000, most: 4_000 };

/** Does what users do while faults happen: publishes new content and edits specs. Returns the number of edits. */
export async function live(rig: Rig, random: Random, signal: AbortSignal): Promise<number> {
  let edits = 0;
  while (!signal.aborted) {
    const registry = random.pick(random.next() < 0.5 ? rig.registries : rig.registries.slice(0, rig.pods.length));
    const hasServer = rig.registries.indexOf(registry) < rig.pods.length;
    const edit =
      hasServer && random.next() < 0.8
        ? registry.publish(random.pick(registry.sources), rig.parts.api)
        : rig.parts.api.apply(registry.nextSpec());
    // The edit may fail, because a fault can make the API server unavailable at any time.
    await edit.then(
      () => (edits += 1),
      () => undefined,
    );
    await sleep(random.between(PAUSE_MS.least, PAUSE_MS.most), undefined, { signal }).catch(() => undefined);
  }
  return edits;
}
