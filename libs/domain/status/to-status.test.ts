import { describe, expect, it } from 'vitest';
import { MESSAGE_LIMIT, toStatus } from './to-status.js';
import type { RegistryFacts, ServerFacts, SourceFacts } from './registry-facts.js';
import type { RegistryStatus } from './registry-status.js';

const NOW = Date.UTC(2026, 10, 22, 12);
const LATER = NOW + 60_000;

const synced = (name: string, overrides: Partial<SourceFacts> = {}): SourceFacts => ({
  name,
  attemptCount: 0,
  lastAttemptAtMs: NOW - 2_000,
  lastSyncAtMs: NOW - 1_000,
  lastSyncHash: `hash-of-${name}`,
  revision: 'abc',
  serverCount: 3,
  quarantined: 0,
  ...overrides,
});

const facts = (sources: SourceFacts[], overrides: Partial<RegistryFacts> = {}): RegistryFacts => ({
  generation: 7,
  deleting: false,
  serving: true,
  sources,
  ...overrides,
});

const status = (of: RegistryFacts, previous?: RegistryStatus, nowMs = NOW): RegistryStatus =>
  toStatus(of, { previous, nowMs, digest: (text) => `digest(${text})` });

const condition = ({ conditions }: RegistryStatus, type: string) => conditions.find((each) => each.type === type);

const unreachable = { failure: { reason: 'Unreachable', message: 'no answer' } } as const;

it('contains the machine-readable reason of each source', () => {
  const notice = { reason: 'SourceEmpty', message: 'holds no servers' } as const;
  const sources = [
    synced('good'),
    synced('partly', { quarantined: 2 }),
    synced('failed', { ...unreachable, notices: [notice] }),
    synced('empty', { notices: [notice] }),
    { name: 'new', attemptCount: 0 },
  ];
  expect(status(facts(sources)).syncStatus?.sources.map(({ name, reason }) => [name, reason])).toEqual([
    ['good', 'SyncComplete'],
    ['partly', 'PartiallyValid'],
    ['failed', 'Unreachable'],
    ['empty', 'SourceEmpty'],
    ['new', 'Pending'],
  ]);
});

describe('the phase', () => {
  it.each<[string, RegistryFacts, string]>([
    ['everything is synced', facts([synced('a'), synced('b')]), 'Ready'],
    ['nothing serves yet', facts([{ name: 'a', attemptCount: 0 }], { serving: false }), 'Pending'],
    ['a source was never synced', facts([synced('a'), { name: 'b', attemptCount: 0 }]), 'Pending'],
    [
      'the first sync runs',
      facts([{ name: 'a', attemptCount: 0, running: { sinceMs: NOW, manual: false } }]),
      'Syncing',
    ],
    ['a manual sync runs', facts([synced('a', { running: { sinceMs: NOW, manual: true } })]), 'Syncing'],
    ['a regular sync runs again', facts([synced('a', { running: { sinceMs: NOW, manual: false } })]), 'Ready'],
    [
      'a failed sync is retried by hand',
      facts([synced('a', { ...unreachable, running: { sinceMs: NOW, manual: true } })]),
      'Syncing',
    ],
    [
      'what failed is tried again',
      facts([synced('a', { ...unreachable, running: { sinceMs: NOW, manual: false } })]),
      'Failed',
    ],
    ['there is nothing to sync', facts([]), 'Ready'],
    ['a sync failed', facts([synced('a', unreachable), synced('b')]), 'Failed'],
    [
      'an object is missing that may still come',
      facts([{ name: 'a', attemptCount: 1, failure: { reason: 'ConfigMapNotFound', message: 'no such' } }]),
      'Pending',
    ],
    ['the spec is invalid', facts([synced('a')], { invalid: 'spec.auth: is required' }), 'Failed'],
    ['it is being deleted', facts([synced('a', unreachable)], { deleting: true }), 'Terminating'],
  ])('when %s is %j', (_when, of, phase) => {
    expect(status(of).phase).toBe(phase);
  });

  it('waits for nothing if there is nothing to sync', () => {
    for (const type of ['Ready', 'SourceAvailable', 'DataValid', 'SyncSuccessful']) {
      expect(condition(status(facts([])), type)).toMatchObject({ type, status: 'True' });
    }
  });

  it('says that older data is still served when a sync fails', () => {
    expect(status(facts([synced('a', unreachable)])).message).toBe(
      'a: no answer (data from 2026-11-22T11:59:59Z is still being served)',
    );
  });
});

describe('the sync status', () => {
  it('summarizes the sources: worst phase, total of servers, newest success, one hash', () => {
    const { syncStatus } = status(facts([synced('b', unreachable), synced('a', { lastSyncAtMs: NOW })]));
    expect(syncStatus).toMatchObject({
      phase: 'Failed',
      message: 'b: no answer',
      serverCount: 6,
      lastSyncTime: '2026-11-22T12:00:00Z',
      lastSyncHash: 'digest(hash-of-a\nhash-of-b)',
    });
  });

  it('keeps the last good values of a source that fails', () => {
    const [source] = status(facts([synced('a', { ...unreachable, attemptCount: 2 })])).syncStatus!.sources;
    expect(source).toMatchObject({
      phase: 'Failed',
      attemptCount: 2,
      serverCount: 3,
      lastSyncTime: '2026-11-22T11:59:59Z',
      revision: 'abc',
    });
  });
});

describe('conditions', () => {
  it('are all true when everything is synced', () => {
    expect(status(facts([synced('a')])).conditions.map(({ type, status: is, reason }) => [type, is, reason])).toEqual([
      ['Ready', 'True', 'Ready'],
      ['SourceAvailable', 'True', 'Available'],
      ['DataValid', 'True', 'Valid'],
      ['SyncSuccessful', 'True', 'SyncComplete'],
    ]);
  });

  it('stay Ready when a later sync fails', () => {
    const failing = status(facts([synced('a', unreachable)]));
    expect(condition(failing, 'Ready')).toMatchObject({ status: 'True' });
    expect(condition(failing, 'SyncSuccessful')).toMatchObject({ status: 'False', reason: 'Unreachable' });
    expect(condition(failing, 'SourceAvailable')).toMatchObject({ status: 'False' });
    expect(condition(failing, 'DataValid')).toMatchObject({ status: 'True' });
  });

  it('distinguish invalid data from an unavailable source, and contain the names in quarantine', () => {
    const bad = status(facts([synced('a', { failure: { reason: 'InvalidData', message: 'line 3' } })]));
    expect(condition(bad, 'DataValid')).toMatchObject({ status: 'False', reason: 'InvalidData' });
    expect(condition(bad, 'SourceAvailable')).toMatchObject({ status: 'True' });
    const quarantined = [
      synced('a', { quarantined: 12, quarantinedEntries: ['x/one', 'servers[4]'] }),
      synced('b'),
      synced('c', { quarantined: 1, quarantinedEntries: ['x/two'] }),
    ];
    expect(condition(status(facts(quarantined)), 'DataValid')).toMatchObject({
      status: 'True',
      reason: 'PartiallyValid',
      message: 'Entries in quarantine: a (x/one, servers[4] and 10 more), c (x/two)',
    });
  });

  it('are unknown before the first sync has ended', () => {
    const fresh = status(facts([{ name: 'a', attemptCount: 0 }]));
    expect(condition(fresh, 'SyncSuccessful')).toMatchObject({ status: 'Unknown', reason: 'Pending' });
    expect(condition(fresh, 'Ready')).toMatchObject({ status: 'False', reason: 'NotReady' });
  });

  it('remember when they last changed, and their generation', () => {
    const first = status(facts([synced('a')]));
    const second = status(facts([synced('a', unreachable)], { generation: 8 }), first, LATER);
    expect(condition(second, 'Ready')).toMatchObject({
      lastTransitionTime: '2026-11-22T12:00:00Z',
      observedGeneration: 8,
    });
    expect(condition(second, 'SyncSuccessful')).toMatchObject({ lastTransitionTime: '2026-11-22T12:01:00Z' });
  });
});

describe('the hash of the filters that were applied', () => {
  const applied = (...hashes: (string | undefined)[]) =>
    status(
      facts(hashes.map((filterHash, index) => synced(`s${index}`, filterHash === undefined ? {} : { filterHash }))),
    ).lastAppliedFilterHash;

  it('changes with any of them, regardless of the order of the sources, and is absent if there are none', () => {
    expect(applied(undefined)).toBeUndefined();
    expect(applied('f1', undefined)).toBe(applied('f1'));
    expect(applied('f2', 'f1')).toBe(applied('f1', 'f2'));
    expect(applied('f1', 'f3')).not.toBe(applied('f1', 'f2'));
  });
});

const live = { podHash: 'p1', readyReplicas: 1, live: true };

type Overrides = { [Field in keyof ServerFacts]?: ServerFacts[Field] | undefined };

const server = (overrides: Overrides = {}): ServerFacts =>
  ({
    endpoint: 'http://r-api.ns:8080',
    podTemplate: false,
    provisioned: true,
    workload: live,
    warnings: [],
    ...overrides,
  }) as ServerFacts;

describe('the server of a registry', () => {
  const refused = { reason: 'ServiceFailed', message: 'Service ns/r-api is not ours' } as const;
  const quota = { readyReplicas: 0, live: false, trouble: 'exceeded quota: small' };

  it.each<[string, Overrides, boolean, string, string, string]>([
    ['answers', {}, true, 'Ready', 'Ready', 'APIReady'],
    [
      'is not provisioned yet',
      { provisioned: false, workload: undefined },
      false,
      'Pending',
      'NotStarted',
      'APINotReady',
    ],
    ['has no pod yet', { workload: undefined }, false, 'Pending', 'Deploying', 'APINotReady'],
    ['cannot get a pod', { workload: quota }, false, 'Pending', 'Deploying', 'APINotReady'],
    ['could not be provisioned', { provisioned: false, failure: refused }, true, 'Failed', 'Error', 'ServiceFailed'],
    ['is being replaced', { workload: { ...live, live: false } }, true, 'Pending', 'Deploying', 'APINotReady'],
    [
      'waits for its database',
      { workload: { readyReplicas: 0, live: false }, delayed: { pod: 'p', reason: 'Unreachable', message: 'db?' } },
      false,
      'Pending',
      'Deploying',
      'Unreachable',
    ],
  ])('when it %s', (_when, of, serving, phase, apiPhase, reason) => {
    const result = status(facts([synced('a')], { serving, server: server(of) }));
    expect([result.phase, result.apiStatus?.phase, condition(result, 'APIReady')?.reason]).toEqual([
      phase,
      apiPhase,
      reason,
    ]);
    expect(condition(result, 'Ready')?.status).toBe(phase === 'Ready' ? 'True' : 'False');
  });

  it('reports which pod is awaited and why it is not ready, in the words of the cluster', () => {
    const workload = { readyReplicas: 0, live: false, awaited: 'r-api-1', trouble: 'ImagePullBackOff: no such image' };
    const waiting = status(facts([], { serving: false, server: server({ workload }) }));
    const text = 'Waiting for pod r-api-1: ImagePullBackOff: no such image';
    expect([waiting.message, waiting.apiStatus?.message, condition(waiting, 'APIReady')?.message]).toEqual([
      text,
      text,
      text,
    ]);
  });

  it('counts its read-only servers separately, without effect on anything else', () => {
    const readers = { replicas: 3, readyReplicas: 0, selector: 'a=b' };
    const with3 = status(facts([synced('a')], { server: server({ workload: { ...live, readers } }) }));
    expect(with3).toMatchObject({ phase: 'Ready', readyReplicas: 1, readers });
    expect(status(facts([synced('a')], { server: server() }), with3)).not.toHaveProperty('readers');
  });

  it('has an endpoint while it is ready, and remembers since when', () => {
    const ready = status(facts([synced('a')], { server: server() }));
    expect(ready).toMatchObject({
      url: 'http://r-api.ns:8080',
      readyReplicas: 1,
      apiStatus: { endpoint: 'http://r-api.ns:8080', readySince: '2026-11-22T12:00:00Z' },
    });
    const gone = { workload: { ...live, readyReplicas: 0, live: false } };
    const away = status(facts([synced('a')], { server: server(gone) }), ready, LATER);
    expect(away.apiStatus).toEqual({
      phase: 'Unhealthy',
      message: 'Waiting for a pod of the registry server to become ready',
      readySince: '2026-11-22T12:00:00Z',
    });
    const back = status(facts([synced('a')], { server: server() }), away, LATER);
    expect(back.apiStatus?.readySince).toBe('2026-11-22T12:01:00Z');
    expect(status(facts([synced('a')], { server: server() }), back, LATER + 5_000).apiStatus).toEqual(back.apiStatus);
  });

  it('reports whether the pod template of the user is valid, if there is one', () => {
    const verdict = (of: Overrides) =>
      condition(status(facts([], { server: server({ podTemplate: true, ...of }) })), 'PodTemplateValid');
    const failure = { reason: 'InvalidPodTemplateSpec', message: 'containers must be a list' } as const;
    expect(verdict({})).toMatchObject({ status: 'True', reason: 'ValidPodTemplateSpec' });
    expect(verdict({ provisioned: false, failure })).toMatchObject({ status: 'False', message: failure.message });
    expect(verdict({ provisioned: false })).toMatchObject({ status: 'Unknown' });
    expect(verdict({ podTemplate: false })).toBeUndefined();
  });

  it('is not included if a server already exists', () => {
    const standing = status(facts([synced('a')]));
    expect(Object.keys(standing)).not.toContain('apiStatus');
    expect(condition(standing, 'APIReady')).toBeUndefined();
  });
});

describe('a source that is built in', () => {
  const builtIn = (overrides: Partial<SourceFacts> = {}) =>
    synced('default', { builtIn: true, serverCount: 0, ...overrides });
  const shown = (sources: SourceFacts[]) => status(facts(sources)).syncStatus?.sources.map(({ name }) => name);

  it('is reported if it serves something, has an error, or is the only one', () => {
    expect(shown([builtIn(), synced('a')])).toEqual(['a']);
    expect(status(facts([builtIn(), synced('a')]))).toMatchObject({ message: 'Serving 3 servers from 1 source' });
    expect(shown([builtIn({ serverCount: 2 }), synced('a')])).toEqual(['default', 'a']);
    expect(shown([builtIn({ quarantined: 1 }), synced('a')])).toEqual(['default', 'a']);
    expect(shown([builtIn(unreachable), synced('a')])).toEqual(['default', 'a']);
    expect(shown([builtIn()])).toEqual(['default']);
  });

  it('is waited for like any other source', () => {
    const unsynced: SourceFacts = { name: 'default', builtIn: true, attemptCount: 0 };
    const waiting = status(facts([unsynced, synced('a')]));
    expect(waiting.phase).toBe('Pending');
    expect(condition(waiting, 'Ready')).toMatchObject({ status: 'False' });
  });
});

describe('the messages', () => {
  it('are truncated at any depth', () => {
    const message = 'x'.repeat(1_000_000);
    const failing = { failure: { reason: 'Unreachable', message } } as const;
    const notices = [{ reason: 'IntervalClamped', message }] as const;
    const written = [facts([synced('a', { ...failing })], { notices }), facts([], { invalid: message })].map((of) =>
      status(of),
    );
    expect(written.map(({ message: { length } }) => length)).toEqual([MESSAGE_LIMIT, MESSAGE_LIMIT]);
    for (const each of written) expect(JSON.stringify(each)).not.toContain('x'.repeat(MESSAGE_LIMIT));
    expect(written[0]?.notices?.[0]?.message).toHaveLength(MESSAGE_LIMIT);
  });
});
