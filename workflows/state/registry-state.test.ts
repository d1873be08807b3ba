import { describe, expect, it } from 'vitest';
import type { DesiredState } from '#activities/contract.js';
import type { SourcePlan, SyncOutcome, SyncRequest, SyncTrigger } from '#domain/sync.js';
import { dueSyncs, untilNextDue } from './agenda.js';
import { reportDueAtMs, reported, reportFailed, summarize } from './facts.js';
import { ownMember } from '#domain/own-member.js';
import { newRegistryState, openStores } from './registry-state.js';
import type { RegistryState } from './registry-state.js';
import { desiredRead, markStale, nudged, readDue, readFailed } from './resource.js';
import {
  adoptionDone,
  adoptionFailed,
  adoptionStarted,
  dropStore,
  openStore,
  planKey,
  storesToAdopt,
  syncUntaken,
} from './stores.js';
import {
  forgetAbandoned,
  overdue,
  settled,
  started,
  startedSince,
  unwantedSyncs,
  syncRequested,
  toSyncRequest,
} from './syncs.js';
import type { DueSync } from './syncs.js';

const T0 = 1_700_000_000_000;
const MINUTE = 60_000;
const store = { id: 'store-1', taskQueue: 'registry/standalone/store-1' };

const plan = (name: string, overrides: Partial<SourcePlan> = {}): SourcePlan => ({
  name,
  type: 'git',
  address: `https://git.example/${name}.git`,
  format: 'toolhive',
  intervalMs: 30 * MINUTE,
  specHash: 'spec',
  filterHash: 'filter',
  referenceHash: '',
  ...overrides,
});

const desired = (sources: SourcePlan[], overrides: Partial<DesiredState> = {}): DesiredState => ({
  generation: 1,
  deleting: false,
  sources,
  ...overrides,
});

/** Returns a registry whose only store has adopted the plan. */
function living(wanted: DesiredState, nowMs = T0): RegistryState {
  const state = desiredRead(newRegistryState({ namespace: 'default', name: 'r', uid: 'u' }), wanted, nowMs);
  return told(openStore(state, store, nowMs));
}

const idle = { isUnderWay: () => false, lookDueAtMs: () => Infinity };
const reporting = { ...idle, isUnderWay: (task: string): boolean => task === 'report' };

function told(state: RegistryState): RegistryState {
  const server = state.stores[store.id]?.store ?? store;
  return adoptionDone(adoptionStarted(state, store.id), server, planKey(state));
}

function run(state: RegistryState, source: string, nowMs: number): RegistryState {
  const due = dueSyncs(state, nowMs).find((sync) => sync.source === source);
  if (!due) throw new Error(`${source} is not due`);
  return started(state, due, nowMs, nowMs + 10 * MINUTE);
}

function outcome(state: RegistryState, source: string, overrides: Partial<SyncOutcome> = {}): SyncOutcome {
  const running = state.stores[store.id]?.sources[source]?.running;
  if (!running) throw new Error(`${source} is not running`);
  return {
    source,
    run: running.run,
    storeId: store.id,
    trigger: running.trigger,
    startedAt: running.startedAtMs,
    finishedAt: running.startedAtMs + 1_000,
    revision: 'r1',
    contentHash: 'h1',
    counts: { served: 3, hidden: 0, quarantined: 1, added: 3, updated: 0, removed: 0, unchanged: 0 },
    ...overrides,
  };
}

const failed = (destiny: 'retry' | 'wait'): Partial<SyncOutcome> => ({
  failure: { reason: 'Unreachable', message: 'no answer', destiny },
});

const triggers = (state: RegistryState, nowMs: number): Record<string, SyncTrigger> =>
  Object.fromEntries(dueSyncs(state, nowMs).map(({ source, trigger }) => [source, trigger]));

describe('a plan', () => {
  it('makes every source due at once in a store that is new', () => {
    expect(triggers(living(desired([plan('a'), plan('b')])), T0)).toEqual({ a: 'initial', b: 'initial' });
  });

  it('starts nothing in a store that has not adopted it yet', () => {
    const state = openStore(
      desiredRead(newRegistryState({ namespace: 'n', name: 'r', uid: 'u' }), desired([plan('a')]), T0),
      store,
      T0,
    );
    expect(dueSyncs(state, T0)).toEqual([]);
    expect(storesToAdopt(state, T0).map((each) => each.store.id)).toEqual(['store-1']);
    expect(storesToAdopt(adoptionStarted(state, store.id), T0)).toEqual([]);
  });

  it.each(['constructor', 'b'])('makes a source due that is added later and called %s', (name) => {
    const state = told(desiredRead(living(desired([plan('a')])), desired([plan('a'), plan(name)]), T0));
    expect(triggers(state, T0)).toEqual({ a: 'initial', [name]: 'initial' });
    expect(startedSince(state, [name], 1)).toBeUndefined();
    const after = settled(run(state, name, T0), outcome(run(state, name, T0), name), T0, 0.5).stores['store-1'];
    expect(ownMember(after?.sources, name)).toMatchObject({ attemptCount: 0, lastRun: 1 });
  });

  it('changes nothing when it is adopted twice', () => {
    const wanted = desired([plan('a'), plan('b', { intervalMs: MINUTE })]);
    const state = run(living(wanted), 'a', T0);
    expect(desiredRead(state, wanted, T0 + MINUTE)).toEqual(state);
    const idle = settled(state, outcome(state, 'a'), T0 + MINUTE, 0.5);
    expect(desiredRead(idle, wanted, T0 + 2 * MINUTE)).toEqual(idle);
  });

  it.each(['specHash', 'filterHash', 'referenceHash'] as const)(
    'makes only the source due whose %s changed',
    (field) => {
      let state = living(desired([plan('a'), plan('b')]));
      for (const source of ['a', 'b']) {
        state = run(state, source, T0);
        state = settled(state, outcome(state, source), T0 + 1_000, 0);
      }
      const edited = desired([plan('a', { [field]: 'other' }), plan('b')], { generation: 2 });
      expect(triggers(told(desiredRead(state, edited, T0 + MINUTE)), T0 + MINUTE)).toEqual({
        a: 'change',
      });
    },
  );

  it.each([
    [1_000, 9_000],
    [60 * MINUTE, 60 * MINUTE],
    [10 * 24 * 60 * MINUTE, 24 * 60 * MINUTE],
  ])('respects the Retry-After of a source: %i ms', (retryAfterMs, waitedMs) => {
    const failure = { reason: 'Unreachable', message: '503', destiny: 'retry', retryAfterMs } as const;
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a', { failure }), T0, 0);
    expect(state.stores[store.id]?.sources['a']?.due).toEqual({ atMs: T0 + waitedMs, trigger: 'retry' });
  });

  it('lets no failed source wait longer than an edited interval', () => {
    let state = living(desired([plan('a')]));
    for (let at = T0, attempt = 0; attempt < 5; attempt++) {
      state = run(state, 'a', at);
      state = settled(state, outcome(state, 'a', failed('retry')), at, 0);
      at = state.stores[store.id]?.sources['a']?.due?.atMs ?? at;
    }
    const source = (known: RegistryState) => known.stores[store.id]!.sources['a']!;
    const { due, lastAttemptAtMs } = source(state);
    const edited = desired([plan('a', { intervalMs: MINUTE })], { generation: 2 });
    expect(due!.atMs).toBeGreaterThan(lastAttemptAtMs! + MINUTE);
    expect(source(desiredRead(state, edited, T0)).due).toEqual({ trigger: 'retry', atMs: lastAttemptAtMs! + MINUTE });
  });

  it('cancels a sync whose plan has changed, without counting it as a failure', () => {
    let state = run(living(desired([plan('a'), plan('b')])), 'a', T0);
    state = settled(state, outcome(state, 'a', failed('wait')), T0, 0);
    state = run(run(syncRequested(state, { source: 'a' }, T0), 'a', T0), 'b', T0);
    const edited = desired([plan('a', { specHash: 'edited' }), plan('b', { intervalMs: MINUTE })], { generation: 2 });
    const before = state.stores[store.id]?.sources['a'];
    state = told(desiredRead(state, edited, T0));
    expect(unwantedSyncs(state)).toEqual([{ source: 'a', run: before?.running?.run }]);
    const cancelled = { reason: 'Cancelled', message: 'the sync was cancelled', destiny: 'wait' } as const;
    state = settled(state, outcome(state, 'a', { failure: cancelled }), T0 + 1, 0);
    expect(triggers(state, T0 + 1)).toEqual({ a: 'change' });
    expect(state.stores[store.id]?.sources['a']).toMatchObject({ attemptCount: 1, failure: before?.failure });
    expect(unwantedSyncs(state)).toEqual([]);
  });

  it('counts an edited interval from the last attempt', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0 + 1_000, 0);
    const edit = (intervalMs: number) =>
      desiredRead(state, desired([plan('a', { intervalMs })], { generation: 2 }), T0 + 10 * MINUTE).stores[store.id]
        ?.sources['a']?.due;
    expect(edit(20 * MINUTE)).toEqual({ atMs: T0 + 20 * MINUTE, trigger: 'interval' });
    expect(edit(5 * MINUTE)).toEqual({ atMs: T0 + 5 * MINUTE, trigger: 'interval' });
  });

  it('drops a removed source, including its running sync', () => {
    const state = run(living(desired([plan('a'), plan('b')])), 'a', T0);
    const report = outcome(state, 'a');
    const without = desiredRead(state, desired([plan('b')], { generation: 2 }), T0 + 1);
    expect(Object.keys(without.stores[store.id]?.sources ?? {})).toEqual(['b']);
    expect(settled(without, report, T0 + 2, 0)).toEqual(without);
  });

  it('stops syncing while it is invalid and keeps its previous version', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0 + 1_000, 0);
    const broken = desiredRead(state, desired([], { generation: 2, invalid: 'spec.auth: is required' }), T0 + MINUTE);
    expect(dueSyncs(broken, T0 + 60 * MINUTE)).toEqual([]);
    expect(
      untilNextDue({ ...broken, report: { digest: JSON.stringify(summarize(broken)), atMs: T0 } }, T0, idle),
    ).toBeUndefined();
    expect(summarize(broken)).toMatchObject({
      invalid: 'spec.auth: is required',
      sources: [{ name: 'a', serverCount: 3 }],
    });
    const mended = told(desiredRead(broken, desired([plan('a')], { generation: 3 }), T0 + 2 * MINUTE));
    expect(dueSyncs(mended, T0 + 2 * MINUTE)).toEqual([]);
    expect(triggers(mended, T0 + 30 * MINUTE)).toEqual({ a: 'interval' });
  });
});

describe('a sync that has ended', () => {
  it('is due again one interval after it started, spread by at most a tenth', () => {
    const state = run(living(desired([plan('a')])), 'a', T0);
    for (const [random, jitterMs] of [
      [0, 0],
      [1, 30_000],
    ] as const) {
      const next = settled(state, outcome(state, 'a'), T0 + 2 * MINUTE, random);
      expect(untilNextDue({ ...next, report: { digest: JSON.stringify(summarize(next)), atMs: 0 } }, T0, idle)).toBe(
        30 * MINUTE + jitterMs,
      );
    }
  });

  it('does not change the status while it runs, if it is scheduled and follows a success', () => {
    const first = run(living(desired([plan('a')])), 'a', T0);
    expect(summarize(first).sources[0]?.running).toBeDefined();
    const synced = settled(first, outcome(first, 'a'), T0 + 1_000, 0);
    const dueAtMs = synced.stores[store.id]!.sources['a']!.due!.atMs;
    const again = run(synced, 'a', dueAtMs);
    expect(again.stores[store.id]?.sources['a']?.running).toBeDefined();
    expect(summarize(again)).toEqual(summarize(synced));
    const ended = settled(again, outcome(again, 'a'), dueAtMs + 1_000, 0);
    expect(summarize(ended)).not.toEqual(summarize(synced));
    const asked = run(syncRequested(synced, { source: 'a' }, T0 + MINUTE), 'a', T0 + MINUTE);
    expect(summarize(asked).sources[0]?.running).toMatchObject({ manual: true });
  });

  it('is shown once another one is requested, although it is a scheduled one', () => {
    const first = run(living(desired([plan('a')])), 'a', T0);
    const synced = settled(first, outcome(first, 'a'), T0 + 1_000, 0);
    const dueAtMs = synced.stores[store.id]!.sources['a']!.due!.atMs;
    const asked = syncRequested(run(synced, 'a', dueAtMs), { source: 'a' }, dueAtMs + 1);
    expect(summarize(asked).sources[0]).toMatchObject({
      running: { sinceMs: dueAtMs, manual: false },
      lastAttemptAtMs: dueAtMs,
    });
    expect(summarize(asked).sources[0]).not.toHaveProperty('nextSyncAtMs');
  });

  it('needs no timer while its end is noticed in any case', () => {
    const state = told(run(living(desired([plan('a')])), 'a', T0));
    const until = (lookDueAtMs: number | undefined) =>
      untilNextDue({ ...state, report: { digest: JSON.stringify(summarize(state)), atMs: T0 } }, T0, {
        ...idle,
        lookDueAtMs: () => lookDueAtMs,
      });
    expect(until(Infinity)).toBe(state.stores[store.id]!.sources['a']!.running!.deadlineMs - T0);
    expect(until(T0 + 1_000)).toBe(1_000);
    expect(until(undefined)).toBeUndefined();
  });

  it('is not due again without an interval', () => {
    const { intervalMs: _none, ...once } = plan('a');
    const state = run(living(desired([once])), 'a', T0);
    expect(settled(state, outcome(state, 'a'), T0, 0).stores[store.id]?.sources['a']?.due).toBeUndefined();
  });

  it('backs off after transient failures, never beyond ten minutes or the interval', () => {
    const delays = (intervalMs: number) => {
      let state = living(desired([plan('a', { intervalMs })]));
      let now = T0;
      return Array.from({ length: 8 }, () => {
        state = run(state, 'a', now);
        state = settled(state, outcome(state, 'a', failed('retry')), now, 0.5);
        const due = state.stores[store.id]?.sources['a']?.due?.atMs ?? 0;
        const delay = due - now;
        now = due;
        return delay / 1000;
      });
    };
    expect(delays(60 * MINUTE)).toEqual([10, 20, 40, 80, 160, 320, 600, 600]);
    expect(delays(MINUTE).slice(0, 4)).toEqual([10, 20, 40, 60]);
  });

  it('is not retried at once if the attempt itself took longer than the pause', () => {
    const state = run(living(desired([plan('a', { intervalMs: MINUTE })])), 'a', T0);
    const ended = T0 + 5 * MINUTE;
    const hung = settled(state, outcome(state, 'a', failed('retry')), ended, 0.5);
    expect(hung.stores[store.id]?.sources['a']?.due).toEqual({ atMs: ended + 10_000, trigger: 'retry' });
  });

  it('waits for the interval after a permanent failure', () => {
    const state = run(living(desired([plan('a')])), 'a', T0);
    expect(settled(state, outcome(state, 'a', failed('wait')), T0, 0).stores[store.id]?.sources['a']).toMatchObject({
      due: { atMs: T0 + 30 * MINUTE, trigger: 'interval' },
      attemptCount: 1,
    });
  });

  it('keeps the results of the last success when it fails', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0, 0);
    state = run(state, 'a', T0 + 30 * MINUTE);
    state = settled(
      state,
      outcome(state, 'a', { ...failed('retry'), counts: undefined } as never),
      T0 + 31 * MINUTE,
      0,
    );
    expect(summarize(state).sources[0]).toMatchObject({
      serverCount: 3,
      quarantined: 1,
      revision: 'r1',
      lastSyncHash: 'h1',
      lastSyncAtMs: T0 + 1_000,
      failure: { reason: 'Unreachable' },
    });
  });

  it('includes the effect of an edited filter even if the source is unavailable', () => {
    let state = run(living(desired([plan('a', { filterHash: 'f1' })])), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0, 0);
    expect(summarize(state).sources[0]).toMatchObject({ serverCount: 3, filterHash: 'f1' });
    state = told(desiredRead(state, desired([plan('a', { filterHash: 'f2' })], { generation: 2 }), T0 + 1));
    state = run(state, 'a', T0 + 1);
    const counts = { served: 1, hidden: 2, quarantined: 1, added: 0, updated: 2, removed: 0, unchanged: 1 };
    state = settled(state, outcome(state, 'a', { ...failed('retry'), counts }), T0 + 2, 0);
    expect(summarize(state).sources[0]).toMatchObject({
      serverCount: 1,
      filterHash: 'f2',
      lastSyncHash: 'h1',
      lastSyncAtMs: T0 + 1_000,
      failure: { reason: 'Unreachable' },
    });
  });

  it('is counted by the stored entries if another attempt found everything stored', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    const { counts: _counts, contentHash: _hash, ...found } = outcome(state, 'a');
    const stored = { served: 7, hidden: 0, quarantined: 2, contentHash: 'h7' };
    state = settled(state, { ...found, stored, quarantinedEntries: ['x/y'] }, T0, 0);
    expect(summarize(state).sources[0]).toMatchObject({
      serverCount: 7,
      lastSyncHash: 'h7',
      quarantined: 2,
      quarantinedEntries: ['x/y'],
    });
  });

  it('keeps count and hash when nothing changed', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0, 0);
    state = run(state, 'a', T0 + 30 * MINUTE);
    const { counts: _counts, contentHash: _hash, ...unchanged } = outcome(state, 'a');
    state = settled(state, unchanged, T0 + 30 * MINUTE, 0);
    expect(summarize(state).sources[0]).toMatchObject({
      serverCount: 3,
      lastSyncHash: 'h1',
      lastSyncAtMs: T0 + 30 * MINUTE + 1_000,
    });
  });

  it('is applied once, and only for the awaited run', () => {
    const state = run(living(desired([plan('a')])), 'a', T0);
    const report = outcome(state, 'a');
    const once = settled(state, report, T0, 0);
    expect(settled(once, report, T0 + 5, 0)).toEqual(once);
    expect(settled(state, { ...report, run: 99 }, T0, 0)).toEqual(state);
  });

  it('counts as failed when it does not report in time', () => {
    const state = run(living(desired([plan('a')])), 'a', T0);
    expect(overdue(state, T0 + 9 * MINUTE)).toEqual([]);
    const [late] = overdue(state, T0 + 10 * MINUTE);
    expect(late).toMatchObject({ source: 'a', failure: { reason: 'TimedOut' } });
    expect(
      settled(state, late as SyncOutcome, T0 + 10 * MINUTE, 0).stores[store.id]?.sources['a']?.running,
    ).toBeUndefined();
  });
});

describe('a manual trigger', () => {
  const once = desired([plan('a')]);

  it('makes every source due, once per token', () => {
    let state = run(living(once), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0, 0);
    state = told(desiredRead(state, desired([plan('a')], { triggerToken: '1' }), T0 + 1));
    expect(triggers(state, T0 + 1)).toEqual({ a: 'manual' });
    state = run(state, 'a', T0 + 1);
    state = settled(state, outcome(state, 'a'), T0 + 2, 0);
    state = desiredRead(state, desired([plan('a')], { triggerToken: '1' }), T0 + 3);
    expect(dueSyncs(state, T0 + 3)).toEqual([]);
    expect(summarize(state).handledTrigger).toBe('1');
  });

  it('is remembered while a sync runs: exactly one more follows', () => {
    let state = run(living(once), 'a', T0);
    state = syncRequested(syncRequested(state, {}, T0 + 1), { source: 'a' }, T0 + 2);
    expect(dueSyncs(state, T0 + 3)).toEqual([]);
    state = settled(state, outcome(state, 'a'), T0 + 4, 0);
    expect(triggers(state, T0 + 4)).toEqual({ a: 'manual' });
    state = run(state, 'a', T0 + 4);
    state = settled(state, outcome(state, 'a'), T0 + 5, 0);
    expect(dueSyncs(state, T0 + 6)).toEqual([]);
  });

  it('returns the numbers of the runs that it started', () => {
    let state = run(living(desired([plan('a'), plan('b')])), 'a', T0);
    const first = state.nextRun;
    state = syncRequested(state, { source: 'b' }, T0);
    expect(startedSince(state, ['b'], first)).toBeUndefined();
    state = run(state, 'b', T0);
    expect(startedSince(state, ['b'], first)).toEqual([{ source: 'b', run: first }]);
  });
});

function request(state: RegistryState, due: DueSync): SyncRequest {
  return toSyncRequest(state, due) ?? expect.unreachable('there is nothing to ask for');
}

describe('a request', () => {
  it('contains the handled sync trigger, so that a server which reads an older one waits for it', () => {
    const state = living(desired([plan('a')], { triggerToken: '7' }));
    expect(request(state, dueSyncs(state, T0)[0]!).triggerToken).toBe('7');
  });
});

describe('a store', () => {
  it('that comes back keeps its schedule, and syncs what has no interval', () => {
    const { intervalMs: _none, ...once } = plan('b');
    let state = living(desired([plan('a'), once]));
    for (const source of ['a', 'b']) {
      state = run(state, source, T0);
      state = settled(state, outcome(state, source), T0, 0);
    }
    state = told(openStore(state, store, T0 + MINUTE));
    expect(triggers(state, T0 + MINUTE)).toEqual({ b: 'start' });
    expect(summarize(state).sources.map(({ serverCount }) => serverCount)).toEqual([3, 3]);
  });

  it('that another server took over retries at once what failed before', () => {
    const ended = living(desired([plan('a'), plan('b')]));
    const failure = { reason: 'AuthFailed', message: 'wrong password', destiny: 'wait' } as const;
    let state = run(run(ended, 'a', T0), 'b', T0);
    state = settled(state, outcome(state, 'a'), T0, 0);
    state = settled(state, { ...outcome(state, 'b'), failure }, T0, 0);
    const again = told(openStore(state, store, T0 + MINUTE));
    expect(triggers(again, T0 + MINUTE)).toEqual({});
    const replaced = told(openStore(state, { ...store, taskQueue: 'of another pod' }, T0 + MINUTE));
    expect(triggers(replaced, T0 + MINUTE)).toEqual({ b: 'start' });
  });

  it('that another server took over is not lost with its previous server', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    const failure = { reason: 'StoreLost', message: 'nobody took it', destiny: 'wait' } as const;
    const ofBefore = outcome(state, 'a', { failure, taskQueue: store.taskQueue });
    state = told(openStore(state, { ...store, taskQueue: 'of another pod' }, T0 + MINUTE));
    const next = syncUntaken(settled(state, ofBefore, T0 + MINUTE, 0), ofBefore, T0 + MINUTE);
    expect(summarize(next).serving).toBe(true);
    expect(triggers(next, T0 + MINUTE)).toEqual({ a: 'start' });
    const ofNow = { ...ofBefore, taskQueue: 'of another pod', startedAt: T0 + MINUTE };
    expect(summarize(syncUntaken(next, ofNow, T0 + 2 * MINUTE)).serving).toBe(false);
  });

  it('that another server took over gets the plan separately', () => {
    const state = desiredRead(living(desired([plan('a')])), desired([plan('b')], { generation: 2 }), T0);
    const replaced = openStore(adoptionStarted(state, store.id), { ...store, taskQueue: 'of another pod' }, T0);
    const late = adoptionDone(replaced, store, planKey(replaced));
    expect(storesToAdopt(late, T0).map((each) => each.store.taskQueue)).toEqual(['of another pod']);
  });

  it('that cannot get the plan reports that for every source, until it can', () => {
    const failure = { reason: 'DatabaseUnreachable', message: 'no answer', destiny: 'retry' } as const;
    let state = desiredRead(living(desired([plan('a')])), desired([plan('a'), plan('b')], { generation: 2 }), T0);
    state = adoptionFailed(adoptionStarted(state, store.id), state.stores[store.id]!, failure, T0);
    const { reason, message } = failure;
    expect(summarize(state).sources.map((each) => each.failure)).toEqual([
      { reason, message },
      { reason, message },
    ]);
    expect(storesToAdopt(state, T0 + MINUTE)).toHaveLength(1);
    expect(summarize(told(state)).sources.map((each) => each.failure)).toEqual([undefined, undefined]);
  });

  it('that was down when a task was due, and has come back, is not lost', () => {
    const failure = { reason: 'StoreLost', message: 'nobody took it', destiny: 'retry' } as const;
    let state = run(living(desired([plan('a')])), 'a', T0);
    const untakenRun = outcome(state, 'a', { failure, taskQueue: store.taskQueue });
    state = told(openStore(state, store, T0 + 2 * MINUTE));
    const settledRun = settled(state, untakenRun, T0 + 2 * MINUTE, 0);
    const back = syncUntaken(settledRun, untakenRun, T0 + 2 * MINUTE);
    expect(summarize(back).serving).toBe(true);
    expect(triggers(back, T0 + 2 * MINUTE)).toEqual({ a: 'start' });
  });

  it('that has come back runs the syncs that no worker accepted in the meantime', () => {
    const failure = { reason: 'StoreLost', message: 'nobody took it', destiny: 'wait' } as const;
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = dropStore(settled(state, outcome(state, 'a', { failure }), T0 + MINUTE, 0), store.id);
    const back = told(openStore(state, store, T0 + 2 * MINUTE));
    expect(triggers(back, T0 + 2 * MINUTE)).toEqual({ a: 'start' });
  });

  it('that is lost is not reported while another one exists', () => {
    const other = { id: 'store-2', taskQueue: 'registry/standalone/store-2' };
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = openStore(settled(state, outcome(state, 'a'), T0, 0), other, T0 + MINUTE);
    expect(summarize(state).sources[0]).not.toHaveProperty('lastSyncAtMs');
    expect(summarize(dropStore(state, other.id))).toMatchObject({
      serving: true,
      sources: [{ lastSyncAtMs: T0 + 1_000 }],
    });
    const none = dropStore(dropStore(state, other.id), store.id);
    expect(openStores(none)).toEqual([]);
    expect(summarize(none).sources[0]).toHaveProperty('lastSyncAtMs');
  });

  it('that is lost is not synced until it announces itself, and keeps its last known state', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = dropStore(settled(state, outcome(state, 'a'), T0, 0), store.id);
    expect(summarize(state)).toMatchObject({ serving: false, sources: [{ serverCount: 3, lastSyncAtMs: T0 + 1_000 }] });
    expect(dueSyncs(state, T0 + 60 * MINUTE)).toEqual([]);
    expect(storesToAdopt(state, T0 + 60 * MINUTE)).toEqual([]);
    const told60 = reported(state, summarize(state), T0);
    expect(untilNextDue(told60, T0 + 60 * MINUTE, idle)).toBeUndefined();

    state = told(openStore(state, store, T0 + 60 * MINUTE));
    expect(summarize(state).serving).toBe(true);
    expect(triggers(state, T0 + 60 * MINUTE)).toEqual({ a: 'interval' });
  });

  it('that is lost is dropped once there is another', () => {
    let state = dropStore(living(desired([plan('a')])), store.id);
    state = openStore(state, { id: 'store-2', taskQueue: 'q2' }, T0 + MINUTE);
    expect(Object.keys(state.stores)).toEqual(['store-2']);
  });

  it('that is new next to another gets everything at once', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a'), T0, 0);
    state = openStore(state, { id: 'store-2', taskQueue: 'q2' }, T0 + MINUTE);
    state = adoptionDone(state, { id: 'store-2', taskQueue: 'q2' }, planKey(state));
    expect(dueSyncs(state, T0 + MINUTE)).toEqual([{ storeId: 'store-2', source: 'a', trigger: 'initial' }]);
  });
});

describe('a resource', () => {
  it('that cannot be read is read later, or as soon as a message arrives', () => {
    const state = readFailed(living(desired([plan('a')])), T0);
    expect([readDue(state, T0), readDue(state, T0 + MINUTE)]).toEqual([false, true]);
    expect(readDue(markStale(state), T0)).toBe(true);
    const synced = settled(run(state, 'a', T0), outcome(run(state, 'a', T0), 'a'), T0, 0);
    expect(untilNextDue(synced, T0, reporting)).toBe(30_000);
    const pauses = [1, 2, 3, 9].map((times) => {
      const state = Array.from({ length: times }).reduce<RegistryState>((known) => readFailed(known, T0), synced);
      return state.retryReadAtMs! - T0;
    });
    expect(pauses).toEqual([60_000, 120_000, 240_000, 300_000]);
  });
});

describe('an edited filter', () => {
  it('is applied first by the next sync, whatever its reason', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    const due = { storeId: store.id, source: 'a', trigger: 'retry' } as const;
    expect(request(state, due).refilter).toBeUndefined();
    state = settled(state, outcome(state, 'a'), T0, 0);
    expect(request(state, due).refilter).toBeUndefined();
    state = desiredRead(state, desired([plan('a', { filterHash: 'edited' })], { generation: 2 }), T0);
    expect(request(state, due).refilter).toBe(true);
  });
});

describe('a notice', () => {
  it('of the spec, of the plan and of the last sync is reported', () => {
    const notices = [{ reason: 'EnforceServersIgnored', message: 'without effect' }] as const;
    const slower = { reason: 'IntervalClamped', message: 'slower than asked for' } as const;
    const nothing = { reason: 'FilterExcludedAll', message: 'nothing is left' } as const;
    let state = run(living({ ...desired([plan('a', { notice: slower })]), notices }), 'a', T0);
    expect(summarize(state)).toMatchObject({ notices, sources: [{ notices: [slower] }] });
    state = settled(state, outcome(state, 'a', { notice: nothing }), T0, 0);
    expect(summarize(state).sources[0]).toMatchObject({ notices: [slower, nothing] });
  });

  it.each(['NullsDropped', 'VersionAssumed'] as const)('%s stays until the content is read again', (reason) => {
    const remark = { reason, message: 'of what was read' };
    const { counts } = outcome(run(living(desired([plan('a')])), 'a', T0), 'a');
    const settle = (from: RegistryState, atMs: number, of: Partial<SyncOutcome>) => {
      const started = run(from, 'a', atMs);
      const { counts: _counts, contentHash: _hash, ...rest } = outcome(started, 'a');
      return settled(started, { ...rest, ...of }, atMs, 0);
    };
    const notices = (of: RegistryState) => summarize(of).sources[0]!.notices;
    let state = settle(living(desired([plan('a')])), T0, { counts: counts!, contentHash: 'h1', notice: remark });
    state = settle(state, T0 + 60 * MINUTE, { stored: { served: 3, hidden: 0, quarantined: 1, contentHash: 'h1' } });
    expect(notices(state), 'unchanged').toEqual([remark]);
    state = settle(state, T0 + 120 * MINUTE, { counts: counts!, contentHash: 'h1' });
    expect(notices(state), 'filtered again').toEqual([remark]);
    state = settle(state, T0 + 180 * MINUTE, { counts: counts!, contentHash: 'h2' });
    expect(notices(state), 'read again').toBeUndefined();
  });
});

describe('the report', () => {
  it('is due when something changed, at most every five seconds', () => {
    const state = living(desired([plan('a')]));
    expect(reportDueAtMs(state)).toBeLessThan(T0);
    const written = reported(state, summarize(state), T0);
    expect(reportDueAtMs(written)).toBeUndefined();
    expect(reportDueAtMs(run(written, 'a', T0 + 1))).toBe(T0 + 5_000);
  });

  it('that a generation is ready for the first time is due at once, and no later one', () => {
    const syncing = run(living(desired([plan('a')])), 'a', T0);
    const written = reported(syncing, summarize(syncing), T0);
    const ready = settled(written, outcome(written, 'a'), T0 + 1, 0);
    expect(reportDueAtMs(ready), 'ready').toBe(T0);
    const told = reported(ready, summarize(ready), T0 + 1);
    const later = T0 + 60 * MINUTE;
    const again = run(told, 'a', later);
    const toldAgain = reported(again, summarize(again), later);
    const readyAgain = settled(toldAgain, outcome(toldAgain, 'a'), later + 1, 0);
    expect(reportDueAtMs(readyAgain), 'ready again').toBe(later + 5_000);
    const failed = reportFailed(ready, T0 + 1);
    expect(reportDueAtMs(failed), 'not written').toBe(T0 + 10_001);
  });

  it('of a server that is ready but announces no store is repeated with more details', () => {
    const provision = { digest: 'd', podTemplate: false };
    const deployed = { podHash: 'p', warnings: [] };
    const workload = { podHash: 'p', readyReplicas: 1, live: true };
    const known = desiredRead(
      newRegistryState({ namespace: 'n', name: 'r', uid: 'u' }),
      desired([], { provision }),
      T0,
    );
    const ready = { ...known, provisioning: { attemptCount: 0, done: 'd', tried: 'd', deployed, workload } };
    expect(reportDueAtMs(reported(ready, summarize(ready), T0))).toBe(T0 + 2 * MINUTE);
    const serving = openStore(ready, store, T0);
    expect(reportDueAtMs(reported(serving, summarize(serving), T0))).toBeUndefined();
  });

  it('that fails is retried with backoff, at most five minutes apart', () => {
    let state = living(desired([plan('a')]));
    const pauses = Array.from({ length: 8 }, () => {
      state = reportFailed(state, T0);
      return reportDueAtMs(state)! - T0;
    });
    expect(pauses).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
    expect(reportDueAtMs(run(reported(state, summarize(state), T0), 'a', T0))).toBe(T0 + 5_000);
  });
});

describe('a plan that the database has lost', () => {
  const lostPlan = { reason: 'Cancelled', message: 'no longer part of the registry', destiny: 'stop' } as const;

  it('is given again, and the source synced at once; at most once a minute', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    state = settled(state, outcome(state, 'a', { failure: lostPlan }), T0 + MINUTE, 0);
    expect(storesToAdopt(state, T0 + MINUTE)).toHaveLength(1);
    state = told(state);
    expect(triggers(state, T0 + MINUTE)).toEqual({ a: 'change' });
    state = run(state, 'a', T0 + MINUTE);
    state = settled(state, outcome(state, 'a', { failure: lostPlan }), T0 + MINUTE + 1, 0);
    expect(storesToAdopt(state, T0 + 2 * MINUTE)).toEqual([]);
    expect(triggers(state, T0 + 2 * MINUTE)).toEqual({});
    expect(triggers(state, T0 + 31 * MINUTE)).toEqual({ a: 'interval' });
  });
});

describe('a run that another has overtaken', () => {
  it('makes the next one start after the number that the store knows', () => {
    let state = run(living(desired([plan('a')])), 'a', T0);
    const failure = { reason: 'Cancelled', message: 'overtaken', destiny: 'retry', overtakenBy: 4_711 } as const;
    state = settled(state, outcome(state, 'a', { failure }), T0 + 1, 0);
    expect(request(state, dueSyncs(state, T0 + 1)[0]!).run).toBe(4_712);
  });
});

describe('a source that is removed from the spec', () => {
  it('has its run cancelled, once', () => {
    const state = run(living(desired([plan('a'), plan('b')])), 'a', T0);
    const left = desiredRead(state, desired([plan('b')], { generation: 2 }), T0 + 1);
    expect(unwantedSyncs(left)).toEqual([{ source: 'a', run: 1 }]);
    expect(unwantedSyncs(forgetAbandoned(left, 1))).toEqual([]);
  });
});

describe('stores', () => {
  it('get the plan again when another one opens, so that dead ones are detected', () => {
    const state = openStore(living(desired([plan('a')])), { id: 'store-2', taskQueue: 'q2' }, T0 + MINUTE);
    expect(storesToAdopt(state, T0 + MINUTE).map((each) => each.store.id)).toEqual(['store-1', 'store-2']);
  });

  it('that announce themselves while they get the plan get it once', () => {
    const state = openStore(adoptionStarted(living(desired([plan('a')])), store.id), store, T0 + 1);
    expect(storesToAdopt(state, T0 + 1)).toEqual([]);
    expect(untilNextDue(reported(state, summarize(state), T0), T0 + 1, idle)).toBeUndefined();
  });
});

describe('the site', () => {
  it('of the operator that started last is used, whichever operator sends last', () => {
    const [older, newer] = [
      { digest: 'old', startedAtMs: T0 },
      { digest: 'new', startedAtMs: T0 + 1 },
    ];
    let state = nudged(living(desired([])), { generation: 1, site: newer }, T0);
    state = nudged(state, { generation: 1, site: older }, T0);
    expect(state.site).toEqual(newer);
    const provision = { digest: 'd', podTemplate: false, site: older };
    expect(desiredRead(state, desired([], { provision }), T0).site).toEqual(newer);
  });

  it('of an operator that started in the future is not used, and one that is known is replaced', () => {
    const [real, impossible] = [
      { digest: 'real', startedAtMs: T0 },
      { digest: 'forged', startedAtMs: T0 + 6 * MINUTE },
    ];
    const known = nudged(living(desired([])), { generation: 1, site: real }, T0);
    expect(nudged(known, { generation: 1, site: impossible }, T0).site).toEqual(real);
    const provision = { digest: 'd', podTemplate: false, site: impossible };
    expect(desiredRead(known, desired([], { provision }), T0).site).toEqual(real);
    expect(nudged({ ...known, site: impossible }, { generation: 1, site: real }, T0).site).toEqual(real);
    expect(nudged({ ...known, site: impossible }, { generation: 1 }, T0)).not.toHaveProperty('site');
  });
});
