import { describe, expect, it } from 'vitest';
import type { ProvisionPlan } from '#activities/contract.js';
import {
  contendersFound,
  contestOver,
  contestOverAtMs,
  driftNoticed,
  isContested,
  NOT_PROVISIONED,
  provisionDueAtMs,
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
const transient = { reason: 'KubernetesUnreachable', message: 'away', destiny: 'retry' } as const;
const definite = { reason: 'ServiceFailed', message: 'not ours', destiny: 'wait' } as const;
const final = { reason: 'InvalidPodTemplateSpec', message: 'no list', destiny: 'stop' } as const;

const done = provisioned(provisionStarted(NOT_PROVISIONED, plan, T0), 'one', deployed);
const failed = (times: number, failure: typeof definite | typeof final = definite): ProvisioningState =>
  Array.from({ length: times }).reduce<ProvisioningState>(
    (state) => provisionFailed(provisionStarted(state, plan, T0), failure, T0, 0.5),
    NOT_PROVISIONED,
  );

const provisionDue = (state: ProvisioningState, wanted: ProvisionPlan, nowMs: number): boolean =>
  (provisionDueAtMs(state, wanted) ?? Infinity) <= nowMs;

describe('a server', () => {
  it('is provisioned once for a plan, and again when that changes', () => {
    expect(provisionDue(NOT_PROVISIONED, plan, T0)).toBe(true);
    expect(provisionDue(provisionStarted(NOT_PROVISIONED, plan, T0), plan, T0)).toBe(false);
    expect(provisionDue(done, plan, T0)).toBe(false);
    expect(provisionDue(done, edited, T0)).toBe(true);
  });

  it('gets a new sync trigger, and stays provisioned meanwhile', () => {
    const triggered = { ...plan, triggerToken: '7' };
    expect(provisionDue(done, triggered, T0)).toBe(true);
    const telling = provisionStarted(done, triggered, T0);
    expect(provisionDue(telling, triggered, T0)).toBe(false);
    expect(summarizeServer(registry, telling, triggered).provisioned).toBe(true);
  });

  it('is provisioned again when another client changed it, also while it is being provisioned', () => {
    expect(provisionDue(driftNoticed(done, T0), plan, T0)).toBe(true);
    const meanwhile = driftNoticed(provisionStarted(NOT_PROVISIONED, plan, T0), T0);
    expect(provisionDue(provisioned(meanwhile, 'one', deployed), plan, T0)).toBe(true);
  });

  it('is retried with backoff, at most five minutes apart', () => {
    const pauses = [1, 2, 3, 20].map((times) => failed(times).retryAtMs! - T0);
    expect(pauses).toEqual([5_000, 10_000, 20_000, 300_000]);
    expect(provisionDue(failed(1), plan, T0)).toBe(false);
    expect(provisionDue(failed(1), plan, T0 + 5_000)).toBe(true);
  });

  it('is retried at once when the spec is edited after a failure, and only then if only that can help', () => {
    expect(provisionDue(failed(3), edited, T0)).toBe(true);
    expect(provisionDue(failed(1, final), plan, T0 + 1e9)).toBe(false);
    expect(provisionDue(failed(1, final), edited, T0)).toBe(true);
  });

  it('reports the failure until an attempt succeeds', () => {
    const again = provisionStarted(failed(1), plan, T0);
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

  it('does not change the state when the same facts are seen twice', () => {
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

describe('a transient refusal of the API server', () => {
  const refuse = (state: ProvisioningState, atMs: number) =>
    provisionFailed(provisionStarted(state, plan, atMs), transient, atMs, 0.5);

  it('does not affect a running server, and is reported as a notice', () => {
    const refused = refuse(refuse(done, T0), T0 + 5_000);
    const server = summarizeServer(registry, refused, plan);
    expect(server).toMatchObject({ provisioned: true, warnings: [{ reason: 'ProvisioningDelayed', message: 'away' }] });
    expect(server).not.toHaveProperty('failure');
    expect(provisionDue(refused, plan, T0 + 20_000)).toBe(true);
    const well = summarizeServer(registry, provisioned(refused, 'one', deployed), plan);
    expect(well.warnings).toEqual([]);
  });

  it('is a failure once it has lasted for two minutes, or when nothing was provisioned yet', () => {
    const lasting = refuse(refuse(done, T0), T0 + 120_000);
    expect(summarizeServer(registry, lasting, plan)).toMatchObject({
      provisioned: false,
      failure: { message: 'away' },
    });
    const first = refuse(NOT_PROVISIONED, T0);
    expect(summarizeServer(registry, first, plan)).toMatchObject({ failure: { message: 'away' } });
  });
});

describe('a change by another manager', () => {
  /** Simulates drift immediately after each repair, until `untilMs`. Returns the times at which repairs started. */
  function fight(untilMs: number): { readonly repairs: readonly number[]; readonly state: ProvisioningState } {
    const repairs: number[] = [];
    let state = driftNoticed(done, T0);
    while (state.repairAtMs! - T0 < untilMs) {
      const atMs = state.repairAtMs!;
      repairs.push(atMs - T0);
      state = driftNoticed(provisioned(provisionStarted(state, plan, atMs), 'one', deployed), atMs);
    }
    return { repairs, state };
  }

  it('is repaired at once, then with backoff, at most five minutes apart', () => {
    expect(fight(60_000).repairs).toEqual([0, 1_000, 2_000, 3_000, 8_000, 18_000, 38_000]);
    const { repairs } = fight(3_600_000);
    expect(repairs.at(-1)! - repairs.at(-2)!).toBe(300_000);
  });

  it('is reported with the manager from the third repair in a row on, until a repair has lasted', () => {
    expect(isContested(driftNoticed(done, T0))).toBe(false);
    const { state } = fight(30_000);
    expect(isContested(state)).toBe(true);
    const notice = { reason: 'FieldContested', message: 'Service r-api is changed by fighter' } as const;
    const named = contendersFound(provisionStarted(state, plan, T0 + 35_000), [notice]);
    expect(summarizeServer(registry, named, plan).warnings).toEqual([notice]);
    expect(contestOverAtMs(named)).toBeGreaterThan(T0 + 95_000);
    const calm = contestOver(named);
    expect(summarizeServer(registry, calm, plan).warnings).toEqual([]);
    expect(contestOverAtMs(calm)).toBeUndefined();
    expect(driftNoticed(calm, T0 + 1e6).repairAtMs).toBe(T0 + 1e6);
  });
});

describe('two operators during an upgrade', () => {
  const [older, newer] = [
    { digest: 'old', startedAtMs: T0 },
    { digest: 'new', startedAtMs: T0 + 1 },
  ];

  it('a plan of another site never counts as completed, even if it is the same otherwise', () => {
    const byOld = provisioned(provisionStarted(NOT_PROVISIONED, { ...plan, site: older }, T0), 'old one', deployed);
    expect(summarizeServer(registry, byOld, { ...plan, site: older }).provisioned).toBe(true);
    expect(summarizeServer(registry, byOld, { ...plan, site: newer }).provisioned).toBe(false);
    expect(provisionDue(byOld, { ...plan, site: newer }, T0)).toBe(true);
  });

  it('an attempt in the wrong process is retried soon, and is not a failure', () => {
    const other = { reason: 'OtherRelease', message: 'not here', destiny: 'retry' } as const;
    const refused = provisionFailed(provisionStarted(done, plan, T0), other, T0, 0.5);
    expect(refused).toMatchObject({ attemptCount: 0, retryAtMs: T0 + 2_000, done: 'one' });
    expect(summarizeServer(registry, refused, plan)).not.toHaveProperty('failure');
  });
});
