import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NOBODY_IN } from '#spec/auth-spec.js';
import type { Auth } from '#spec/auth-spec.js';
import { CatalogueView } from '#read-model/catalogue-view.js';
import { EMPTY_LAYOUT } from '#read-model/layout.js';
import type { RegistrySnapshots } from './catalogue/live-catalogue.js';
import { Readiness } from './readiness.js';
import type { ReadinessFacts } from './readiness.js';

const layout = EMPTY_LAYOUT;
const reader = new CatalogueView(layout, { tag: 'x', changedAtMs: undefined });
const stored = { place: '1', generation: '1', edition: 'e', purged: '0', withheld: 0, seen: '1:1:', layout, reader };
const withSource = (attempted: boolean, isFailing = false, isSynced = attempted && !isFailing): RegistrySnapshots =>
  new Map([
    [
      'default/a',
      {
        sources: [{ ...stored, name: 'git', attempted, isSynced, syncedAtMs: 0, isFailing }],
        layout,
        aggregate: reader,
      },
    ],
  ]);

describe('readiness', () => {
  let facts: ReadinessFacts;
  let readiness: Readiness;

  beforeEach(() => {
    vi.useFakeTimers();
    facts = {
      snapshots: undefined,
      fault: undefined,
      syncsAwaySince: undefined,
      syncedElsewhere: 0,
      providerFaults: [],
      registries: [{ namespace: 'default', name: 'a', sources: [], auth: { mode: 'anonymous' } }],
    };
    readiness = new Readiness(() => facts);
  });
  afterEach(() => void vi.useRealTimers());

  const now = (change: Partial<ReadinessFacts>) => {
    facts = { ...facts, ...change };
    return readiness.report();
  };

  it('waits for the catalogue without a time limit', () => {
    expect(now({})).toEqual({ ready: false, reason: 'the catalogue is being loaded' });
    vi.advanceTimersByTime(3_600_000);
    expect(now({ fault: 'DatabaseUnreachable: no' })).toEqual({ ready: false, reason: 'DatabaseUnreachable: no' });
  });

  it('waits for the first sync of every source, but not forever', () => {
    const reason = 'waiting for the first sync of source "git" of default/a';
    expect(now({ snapshots: withSource(false) })).toEqual({ ready: false, reason });
    vi.advanceTimersByTime(29_999);
    expect(now({})).toEqual({ ready: false, reason });
    vi.advanceTimersByTime(1);
    expect(now({})).toEqual({ ready: true, detail: reason });
  });

  it('waits for a successful sync without a time limit while another pod serves more sources', () => {
    const waiting = 'waiting for a sync of source "git" of default/a to succeed';
    const failed = { snapshots: withSource(true, true), syncedElsewhere: undefined };
    expect(now(failed)).toEqual({
      ready: false,
      reason: `${waiting}; looking for other pods of the registry to copy from`,
    });
    const reason = `${waiting}; another pod serves its content meanwhile`;
    expect(now({ syncedElsewhere: 1 })).toEqual({ ready: false, reason });
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(now({})).toEqual({ ready: false, reason });
    expect(readiness.syncedSources()).toBe(0);
    expect(now({ snapshots: withSource(true) })).toEqual({ ready: true });
    expect(readiness.syncedSources()).toBe(1);
  });

  it.each([0, undefined])('does not wait for a pod that has no more sources than this one (%s)', (syncedElsewhere) => {
    expect(now({ snapshots: withSource(true), syncedElsewhere })).toEqual({ ready: true });
  });

  it('stops waiting when the other pod stops', () => {
    expect(now({ snapshots: withSource(true, true), syncedElsewhere: 1 })).toMatchObject({ ready: false });
    expect(now({ syncedElsewhere: 0 })).toMatchObject({ ready: true });
    expect(now({ syncedElsewhere: 1 })).toMatchObject({ ready: true });
  });

  it('reports the registries with a failing identity provider, as long as they are served', () => {
    const facts = { snapshots: withSource(true), providerFaults: ['default/a', 'default/removed'] };
    const detail = 'an identity provider of default/a is unavailable or misconfigured: see the log';
    expect(now(facts)).toEqual({ ready: true, detail });
    expect(now({ providerFaults: [] })).toEqual({ ready: true });
  });

  it('reports what was never tried even after the time limit', () => {
    expect(readiness.awaited()).toBe('the catalogue is being loaded');
    vi.advanceTimersByTime(30_000);
    now({ snapshots: withSource(false) });
    expect(readiness.awaited()).toBe('waiting for the first sync of source "git" of default/a');
    now({ snapshots: withSource(true) });
    expect(readiness.awaited()).toBeUndefined();
  });

  it('is kept once it is reached, with a list of problems', () => {
    expect(now({ snapshots: withSource(true) })).toEqual({ ready: true });
    expect(now({ snapshots: withSource(false) })).toEqual({ ready: true });
    expect(now({ fault: 'DatabaseUnreachable: no' })).toEqual({
      ready: true,
      detail: 'serving what was last read from the database (DatabaseUnreachable: no)',
    });
  });

  it('survives the loss of Temporal and of sources, and reports all problems', () => {
    now({ snapshots: withSource(true) });
    expect(now({ snapshots: withSource(true, true) })).toEqual({
      ready: true,
      detail: 'serving what was last synced of source "git" of default/a, which fails',
    });
    expect(now({ syncsAwaySince: new Date('2026-11-24T12:00:00Z'), fault: 'DatabaseUnreachable: no' })).toEqual({
      ready: true,
      detail:
        'serving what was last read from the database (DatabaseUnreachable: no); ' +
        'no syncs since 2026-11-24T12:00:00.000Z: their workflow is unreachable; ' +
        'serving what was last synced of source "git" of default/a, which fails',
    });
  });

  it('never names a source of a registry that is not open to everybody', () => {
    const closed = { ...NOBODY_IN, publicRead: ['open'] } as Auth;
    const [snapshot] = withSource(true, true).values();
    const sources = snapshot!.sources.flatMap((source) => [source, { ...source, name: 'open' }]);
    const snapshots: RegistrySnapshots = new Map([['default/a', { ...snapshot!, sources }]]);
    expect(now({ snapshots, registries: [{ namespace: 'default', name: 'a', sources: [], auth: closed }] })).toEqual({
      ready: true,
      detail: 'serving what was last synced of a source of default/a, source "open" of default/a, which fail',
    });
    const never = sources.map((source) => ({ ...source, syncedAtMs: null }));
    const unsynced: RegistrySnapshots = new Map([['default/a', { ...snapshot!, sources: never }]]);
    const registries = [{ namespace: 'default', name: 'a', sources: [], auth: closed }];
    expect(now({ snapshots: unsynced, registries })).toMatchObject({
      detail: 'a source of default/a, source "open" of default/a fail, and were never synced',
    });
    // With views, the registries are the views, and a source may have the name of a view without being part of it.
    const views = [{ name: 'open', sources: ['git'] }];
    expect(
      now({ snapshots, registries: [{ namespace: 'default', name: 'a', sources: [], auth: closed, views }] }),
    ).toEqual({
      ready: true,
      detail: 'serving what was last synced of source "git" of default/a, a source of default/a, which fail',
    });
  });

  it('ends when the process stops', () => {
    now({ snapshots: withSource(true) });
    readiness.close();
    expect(now({})).toEqual({ ready: false, reason: 'shutting down' });
  });
});
