import { ApplicationFailure } from '@temporalio/common';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DesiredState } from '#activities/contract.js';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import type { SourcePlan, SyncOutcome, SyncRequest } from '#domain/sync.js';
import { SYNC_DEADLINE_MS } from './activity-options.js';
import { RegistryLife } from './registry-life.js';
import type { Runtime } from './registry-life.js';
import { newRegistryState } from './state/registry-state.js';
import { nudged } from './state/resource.js';
import { openStore } from './state/stores.js';
import { TASKS } from './tasks/index.js';

const T0 = 1_700_000_000_000;
const MINUTE = 60_000;
const registry = { namespace: 'default', name: 'tools', uid: 'u' };
const store = { id: 'store-1', taskQueue: 'q1' };

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

const failure = (reason: string, destiny = 'retry') =>
  ApplicationFailure.create({ message: `${reason} happened`, type: reason, details: [destiny] });

/**
 * A simulated runtime in which only waiting advances the clock. No real time passes, because the clock jumps to the
 * next timer.
 */
class FakeWorld implements Runtime {
  nowAtMs = T0;
  desired: DesiredState | null = { generation: 1, deleting: false, sources: [plan('a')] };
  readonly calls: string[] = [];
  readonly reports: RegistryFacts[] = [];
  readonly requests: SyncRequest[] = [];
  readonly cancelled: number[] = [];
  /** Run numbers that were terminated from outside. */
  readonly terminated = new Set<number>();
  /** Run numbers that do not react to a request to cancel. */
  readonly deaf = new Set<number>();
  /** Failures by activity name. The activity throws them one after the other. */
  readonly failures = new Map<string, unknown[]>();
  /**
   * Outcome of a run. An empty object is a success. `silent`: the run ends without a report. `hangs`: the run ends at
   * Temporal's timeout.
   */
  outcomes: (request: SyncRequest) => Partial<SyncOutcome> | 'silent' | 'hangs' = () => ({});
  life = new RegistryLife(newRegistryState(registry), this);
  readonly #timers: { readonly atMs: number; wake(): void }[] = [];

  readonly registry = {
    readDesiredState: () => this.#call('readDesiredState', () => this.desired),
    reportStatus: (_registry: unknown, facts: RegistryFacts) =>
      this.#call('reportStatus', () => void this.reports.push(facts)),
  };
  readonly provision = {
    ensureServer: () => this.#call('ensureServer', () => ({ podHash: 'p1', warnings: [] })),
    findContenders: () =>
      this.#call('findContenders', () => [{ reason: 'FieldContested', message: 'a fighter' } as const]),
  };

  syncActivities() {
    return { adoptPlan: () => this.#call('adoptPlan', () => undefined) };
  }

  async startSync(request: SyncRequest) {
    await this.#call('startSync', () => this.requests.push(request));
    const came = this.outcomes(request);
    if (came === 'hangs') return { ended: this.sleep(SYNC_DEADLINE_MS) };
    if (came === 'silent') return { ended: Promise.resolve() };
    const { source, run, trigger } = request;
    const times = { startedAt: this.nowAtMs, finishedAt: this.nowAtMs };
    const outcome = { source, run, trigger, storeId: request.store.id, taskQueue: request.store.taskQueue };
    queueMicrotask(() => this.life.settle({ ...outcome, ...times, ...came }));
    return { ended: Promise.resolve() };
  }

  async cancelSync({ run }: { readonly run: number }) {
    this.cancelled.push(run);
    return !this.deaf.has(run);
  }

  isSyncOpen({ run }: { readonly run: number }) {
    return this.#call('isSyncOpen', () => !this.terminated.has(run));
  }

  /** Continues like the next run of the workflow: with the state, but without anything that was in flight. */
  continueAsNew(): void {
    this.life = new RegistryLife(this.life.state, this);
  }

  nowMs = () => this.nowAtMs;
  random = () => 0;

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => void this.#timers.push({ atMs: this.nowAtMs + ms, wake }));
  }

  /**
   * Waits until the predicate is true or the time is up. Everything that is possible now happens before the clock
   * jumps.
   */
  async until(predicate: () => boolean, timeoutMs = Infinity): Promise<void> {
    const endMs = this.nowAtMs + timeoutMs;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (predicate()) return;
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next && next.atMs <= endMs) {
        this.#timers.splice(this.#timers.indexOf(next), 1);
        this.nowAtMs = next.atMs;
        next.wake();
      } else if (endMs === Infinity) {
        throw new Error('nothing would ever happen again');
      } else {
        this.nowAtMs = endMs;
        return;
      }
    }
  }

  /** Runs the registry until the condition is met or its life is over. */
  async live(wanted: () => boolean): Promise<void> {
    for (let rounds = 0; rounds < 1_000; rounds++) {
      if (this.life.isOver || wanted()) return;
      const seen = this.life.state;
      this.life.startDue(TASKS);
      await this.life.untilNews(seen);
    }
    throw new Error('it has not become as wanted');
  }

  count(name: string): number {
    return this.calls.filter((call) => call === name).length;
  }

  source(name = 'a') {
    return this.life.state.stores[store.id]?.sources[name];
  }

  async #call<T>(name: string, answer: () => T): Promise<T> {
    this.calls.push(name);
    await Promise.resolve();
    const [thrown] = this.failures.get(name)?.splice(0, 1) ?? [];
    if (thrown) throw thrown;
    return answer();
  }
}

let world: FakeWorld;

beforeEach(() => {
  world = new FakeWorld();
});

const open = () => world.life.update((state) => openStore(state, store, world.nowAtMs));
const nudge = (drift = false) => world.life.update((state) => nudged(state, { generation: 1, drift }, world.nowAtMs));

describe('reading', () => {
  it('comes first, and again after each message', async () => {
    await world.live(() => world.life.state.desired !== undefined);
    nudge();
    await world.live(() => world.count('readDesiredState') === 2 && world.life.isIdle);
    expect(world.calls[0]).toBe('readDesiredState');
  });

  it('that fails is retried later, and at once when a message arrives', async () => {
    world.failures.set('readDesiredState', [failure('KubernetesUnreachable'), failure('KubernetesUnreachable')]);
    await world.live(() => world.life.state.desired !== undefined);
    expect(world.nowAtMs - T0).toBe(30_000 + 60_000);
  });

  it('that finds no resource, or one under deletion, ends the workflow', async () => {
    world.desired = null;
    await world.live(() => false);
    expect(world.life.state.gone).toBe(true);
    world = new FakeWorld();
    world.desired = { generation: 2, deleting: true, sources: [] };
    await world.live(() => false);
    expect(world.life.isOver).toBe(true);
  });
});

describe('provisioning', () => {
  beforeEach(() => {
    world.desired = { generation: 1, deleting: false, sources: [], provision: { digest: 'one', podTemplate: false } };
  });

  const ready = () => world.life.state.provisioning?.done === 'one';

  it('creates everything once', async () => {
    await world.live(() => ready() && world.life.isIdle);
    expect(world.calls.filter((call) => call.startsWith('ensure'))).toEqual(['ensureServer']);
  });

  it('that fails is reported, retried, and no longer reported after a success', async () => {
    world.failures.set('ensureServer', [failure('PGPassSecretFailed', 'wait'), failure('PGPassSecretFailed', 'wait')]);
    await world.live(() => world.reports.some(({ server }) => server?.failure?.reason === 'PGPassSecretFailed'));
    await world.live(() => ready() && world.reports.at(-1)?.server?.provisioned === true);
    expect(world.reports.at(-1)?.server).not.toHaveProperty('failure');
  });

  it('that was given to an operator of another release is retried, and is not a failure', async () => {
    world.failures.set('ensureServer', [failure('OtherRelease'), failure('OtherRelease')]);
    await world.live(ready);
    expect(world.nowAtMs - T0).toBeLessThan(10_000);
    expect(world.reports.every(({ server }) => server?.failure === undefined)).toBe(true);
  });

  it('repairs drift, with pauses and the name of the other manager if repairs do not last', async () => {
    await world.live(ready);
    for (let repairs = 1; repairs <= 5; repairs++) {
      nudge(true);
      await world.live(() => world.count('ensureServer') === repairs + 1 && world.life.isIdle);
    }
    expect(world.count('findContenders')).toBe(2);
    await world.live(() => world.reports.at(-1)?.server?.warnings[0]?.reason === 'FieldContested');
    await world.live(() => world.reports.at(-1)?.server?.warnings.length === 0);
  });
});

describe('adopting', () => {
  it('gives the plan to a store before anything is synced into it', async () => {
    open();
    await world.live(() => world.source()?.lastSync !== undefined);
    expect(world.calls.indexOf('adoptPlan')).toBeLessThan(world.calls.indexOf('startSync'));
  });

  it('that fails is reported and retried', async () => {
    open();
    world.failures.set('adoptPlan', [failure('DatabaseUnreachable')]);
    await world.live(() => world.reports.some(({ sources }) => sources[0]?.failure?.reason === 'DatabaseUnreachable'));
    await world.live(() => world.source()?.lastSync !== undefined);
    expect(world.count('adoptPlan')).toBe(2);
  });

  it('that waits for the configuration of a server is not reported', async () => {
    open();
    world.failures.set('adoptPlan', [failure('ConfigurationPending')]);
    await world.live(() => world.source()?.lastSync !== undefined);
    expect(world.reports.every(({ sources }) => sources.every((each) => each.failure === undefined))).toBe(true);
  });
});

describe('syncing', () => {
  beforeEach(open);

  const runs = (n: number) => () => world.requests.length === n && world.life.isIdle;

  it('continues at its interval', async () => {
    await world.live(runs(3));
    expect(world.requests.map(({ run, trigger }) => [run, trigger])).toEqual([
      [1, 'initial'],
      [2, 'interval'],
      [3, 'interval'],
    ]);
    expect(world.nowAtMs - T0).toBeGreaterThanOrEqual(60 * MINUTE);
  });

  it('that fails is retried with backoff', async () => {
    world.outcomes = () => ({ failure: { reason: 'Unreachable', message: 'no answer', destiny: 'retry' } });
    await world.live(runs(3));
    // Ten and twenty seconds, each reduced by a tenth through the random jitter.
    expect(world.nowAtMs - T0).toBe(27_000);
    expect(world.source()?.attemptCount).toBe(3);
  });

  it('that cannot be started counts as failed', async () => {
    world.failures.set('startSync', [new Error('the child exists already')]);
    await world.live(runs(1));
    expect(world.requests[0]?.run).toBe(2);
  });

  it('that ends without a report is settled within seconds', async () => {
    world.outcomes = ({ run }) => (run === 1 ? 'silent' : {});
    await world.live(() => world.source()?.attemptCount === 1);
    expect(world.nowAtMs - T0).toBe(5_000);
    await world.live(() => world.source()?.lastSync !== undefined);
  });

  it('that an earlier run of the workflow started, and that was terminated, is settled within minutes', async () => {
    world.outcomes = ({ run }) => (run === 1 ? 'hangs' : {});
    await world.live(runs(1));
    world.continueAsNew();
    await world.live(() => world.count('isSyncOpen') === 2);
    expect(world.source()?.running?.run).toBe(1);
    world.terminated.add(1);
    await world.live(() => world.source()?.attemptCount === 1);
    expect(world.nowAtMs - T0).toBeLessThanOrEqual(7 * MINUTE);
    await world.live(() => world.source()?.lastSync !== undefined);
  });

  it('that hangs counts as failed after its deadline', async () => {
    world.outcomes = ({ run }) => (run === 1 ? 'hangs' : {});
    await world.live(() => world.source()?.lastSync !== undefined);
    expect(world.nowAtMs - T0).toBeGreaterThanOrEqual(45 * MINUTE);
  });

  it('whose task no worker accepts drops the store', async () => {
    world.outcomes = () => ({ failure: { reason: 'StoreLost', message: 'not taken', destiny: 'wait' } });
    await world.live(() => world.life.state.stores[store.id]?.lost === true);
    expect(world.reports.at(-1)?.serving).not.toBe(false);
    await world.live(() => world.reports.at(-1)?.serving === false);
  });

  it('into a store that has lost the plan gives it the plan again', async () => {
    world.outcomes = ({ run }) =>
      run === 1 ? { failure: { reason: 'Cancelled', message: 'not known', destiny: 'stop' } } : {};
    await world.live(() => world.source()?.lastSync !== undefined);
    expect(world.count('adoptPlan')).toBe(2);
    expect(world.nowAtMs - T0).toBeLessThan(MINUTE);
  });

  it('of a changed plan is cancelled, and so is that of a removed source', async () => {
    world.desired = { generation: 1, deleting: false, sources: [plan('a'), plan('b')] };
    world.outcomes = () => 'hangs';
    await world.live(runs(2));
    world.desired = { generation: 2, deleting: false, sources: [plan('a', { specHash: 'edited' })] };
    nudge();
    await world.live(() => world.cancelled.length === 2);
    expect(world.cancelled.toSorted()).toEqual([1, 2]);
  });
});

describe('reporting', () => {
  it('writes changes, at most every five seconds', async () => {
    open();
    await world.live(() => world.requests.length === 2 && world.life.isIdle && world.reports.length > 1);
    expect(new Set(world.reports.map((facts) => JSON.stringify(facts))).size).toBe(world.reports.length);
  });

  it('that fails is retried with backoff', async () => {
    world.desired = { generation: 1, deleting: false, sources: [] };
    world.failures.set(
      'reportStatus',
      [1, 2, 3].map(() => failure('KubernetesUnreachable')),
    );
    await world.live(() => world.reports.length === 1);
    expect(world.nowAtMs - T0).toBe(10_000 + 20_000 + 40_000);
  });
});
