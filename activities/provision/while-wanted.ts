import { displayRef } from '#domain/registry-ref.js';
import { RegistryError } from '#domain/registry-error.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { ProvisionWorld } from './provision-world.js';
import type { Commission } from './read-blueprint.js';

/**
 * Maximum age of a blueprint that may be applied without reading the resource again. It is shorter than the heartbeat
 * timeout of Temporal.
 */
const FRESH_MS = 5_000;

/**
 * Returns the commission with an API that makes no requests once the attempt is cancelled or stale. An attempt that
 * stalled may resume after another one has written a newer desired state, so it compares the resource with its
 * blueprint before it writes. `readAtMs` is the monotonic time before the blueprint was read.
 */
export function whileWanted(
  { resources }: Pick<ProvisionWorld, 'resources'>,
  { blueprint, world }: Commission,
  { signal, readAtMs }: { readonly signal: AbortSignal; readonly readAtMs: number },
): Commission {
  let seenAtMs = readAtMs;
  const { api } = world;
  const guarded: Pick<KubernetesApi, 'get' | 'apply' | 'dryRunApply' | 'create' | 'delete'> = {
    get: (...object) => whenFresh(() => api.get(...object)),
    apply: (...object) => whenFresh(() => api.apply(...object)),
    dryRunApply: (object) => whenFresh(() => api.dryRunApply(object)),
    create: (object) => whenFresh(() => api.create(object)),
    delete: (...object) => whenFresh(() => api.delete(...object)),
  };
  return { blueprint, world: { ...world, api: Object.assign(Object.create(api) as KubernetesApi, guarded) } };

  async function whenFresh<T>(request: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const nowMs = performance.now();
      if (nowMs - seenAtMs < FRESH_MS) return request();
      await refuseStale(resources, blueprint);
      seenAtMs = nowMs;
    }
  }
}

/** Throws a retryable error if the resource is gone, or was edited or triggered after the blueprint was read. */
async function refuseStale(
  resources: ProvisionWorld['resources'],
  { registry, generation, triggerToken }: Commission['blueprint'],
): Promise<void> {
  const latest = await resources.findRegistry(registry);
  if (latest && !latest.deleting && latest.generation === generation && latest.triggerToken === triggerToken) return;
  const message = `${displayRef(registry)} was changed while its server was provisioned: it is provisioned again with the current spec`;
  throw new RegistryError('Cancelled', message, 'retry');
}
