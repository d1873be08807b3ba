import { describe, expect, it } from 'vitest';
import {
  driftNoticed,
  NOT_PROVISIONED,
  provisionDue,
  provisioned,
  provisionFailed,
  provisionStarted,
  storeAnnounced,
  storeDelayed,
  summarizeServer,
  workloadSeen,
} from './provisioning.js';
import type { ProvisioningState } from './provisioning.js';

const T0 = 1_700_000_000_000;
const registry = { namespace: 'ns', name: 'r', uid: 'u' };
const plan = { digest: 'one', podTemplate: false };
const edited = { digest: 'two', podTemplate: false };
const deployed = { podHash: 'p1', warnings: [] };
const transient = { reason: 'KubernetesUnreachable', message: 'away', destiny: 'retry' } as never;
const definite = { reason: 'ServiceFailed', message: 'not ours', destiny: 'wait' } as const;
const final = { reason: 'InvalidPodTemplateSpec', message: 'no list', destiny: 'stop' } as const;

const done = provisioned(provisionStarted(NOT_PROVISIONED, plan), 'one', deployed);
const failed = (times: number, failure: typeof definite | typeof final = definite): ProvisioningState =>
  Array.from({ length: times }).reduce<ProvisioningState>(
    (state) => provisionFailed(provisionStarted(state, plan), failure, T0, 0.5),
    NOT_PROVISIONED,
  );

describe('a server', () => {
  it('is provisioned once for what is wanted, and again when that changes', () => {
    expect(provisionDue(NOT_PROVISIONED, undefined, T0)).toBe(false);
    expect(provisionDue(NOT_PROVISIONED, plan, T0)).toBe(true);
    expect(provisionDue(provisionStarted(NOT_PROVISIONED, plan), plan, T0)).toBe(false);
    expect(provisionDue(done, plan, T0)).toBe(false);
    expect(provisionDue(done, edited, T0)).toBe(true);
  });

  it('is told of a new sync trigger, and stays provisioned meanwhile', () => {
    const triggered = { ...plan, triggerToken: '7' };
    expect(provisionDue(done, triggered, T0)).toBe(true);
    const telling = provisionStarted(done, triggered);
    expect(provisionDue(telling, triggered, T0)).toBe(false);
    expect(summarizeServer(registry, telling, triggered).provisioned).toBe(true);
  });

  it('is provisioned again when somebody changed it, also while it is being provisioned', () => {
    expect(provisionDue(driftNoticed(done), plan, T0)).toBe(true);
    const meanwhile = driftNoticed(provisionStarted(NOT_PROVISIONED, plan));
    expect(provisionDue(provisioned(meanwhile, 'one', deployed), plan, T0)).toBe(true);
  });

  it('is tried again later and later, at most five minutes apart', () => {
    const pauses = [1, 2, 3, 20].map((times) => failed(times).retryAtMs! - T0);
    expect(pauses).toEqual([5_000, 10_000, 20_000, 300_000]);
    expect(provisionDue(failed(1), plan, T0)).toBe(false);
    expect(provisionDue(failed(1), plan, T0 + 5_000)).toBe(true);
  });

  it('is tried again at once when the spec is edited after a failure, and not at all before when only that can help', () => {
    expect(provisionDue(failed(3), edited, T0)).toBe(true);
    expect(provisionDue(failed(1, final), plan, T0 + 1e9)).toBe(false);
    expect(provisionDue(failed(1, final), edited, T0)).toBe(true);
  });

  it('tells what failed until an attempt succeeds', () => {
    const again = provisionStarted(failed(1), plan);
    expect(summarizeServer(registry, again, plan)).toMatchObject({
      provisioned: false,
      failure: { message: 'not ours' },
    });
    expect(summarizeServer(registry, provisioned(again, 'one', deployed), plan)).not.toHaveProperty('failure');
    expect(provisionFailed(done, transient, T0, 0.5)).toMatchObject({ attemptCount: 1 });
  });

  it('is live only with a pod of the template that was deployed last', () => {
    const seen = (podHash: string) => workloadSeen(done, { podHash, readyReplicas: 1, live: true });
    expect(summarizeServer(registry, seen('p1'), plan).workload?.live).toBe(true);
    expect(summarizeServer(registry, seen('p0'), plan).workload?.live).toBe(false);
  });

  it('is not looked at again when the same is seen twice', () => {
    const seen = workloadSeen(done, { readyReplicas: 0, live: false });
    expect(workloadSeen(seen, { readyReplicas: 0, live: false })).toBe(seen);
  });

  it('is delayed until it announces a store', () => {
    const trouble = { pod: 'r-api-1', reason: 'Unreachable', message: 'no database' } as const;
    const delayed = storeDelayed(done, trouble);
    expect(summarizeServer(registry, delayed, plan).delayed).toEqual(trouble);
    expect(storeDelayed(delayed, trouble)).toBe(delayed);
    expect(summarizeServer(registry, storeAnnounced(delayed), plan)).not.toHaveProperty('delayed');
  });
});
