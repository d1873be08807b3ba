import { describe, expect, it } from 'vitest';
import { clampedNotice } from '../clamped-interval.js';
import { toStatus } from './to-status.js';
import type { RegistryFacts, SourceFacts } from './registry-facts.js';
import { emptinessNotice } from '../emptiness-notice.js';
import type { RegistryStatus } from './registry-status.js';
import { statusEvents } from './status-events.js';

const synced: SourceFacts = { name: 'a', attemptCount: 0, lastSyncAtMs: 1_000, lastSyncHash: 'h1', serverCount: 3 };

function status(facts: Partial<RegistryFacts>, previous?: RegistryStatus): RegistryStatus {
  const whole = { generation: 1, deleting: false, serving: true, sources: [synced], ...facts };
  return toStatus(whole, { previous, nowMs: 5_000, digest: (text) => text });
}

const reasons = (before: RegistryStatus | undefined, now: RegistryStatus) =>
  statusEvents(before, now).map(({ type, reason }) => `${type} ${reason}`);

describe('the events of a registry', () => {
  it('are none if only times changed', () => {
    const before = status({});
    const now = status({ sources: [{ ...synced, lastSyncAtMs: 9_000, nextSyncAtMs: 20_000 }] }, before);
    expect(statusEvents(before, now)).toEqual([]);
  });

  it('report its start, its first data and its readiness', () => {
    const created = status({ serving: false, sources: [{ name: 'a', attemptCount: 0 }] });
    expect(reasons(undefined, created)).toEqual(['Normal Created']);
    expect(reasons(created, status({}, created))).toEqual(['Normal Ready', 'Normal SyncSucceeded']);
  });

  it('report that a spec is in effect', () => {
    const refused = status({ generation: 2, invalid: 'spec.auth: is required' });
    expect(reasons(status({}), refused)).toEqual(['Warning ValidationFailed']);
    expect(reasons(refused, status({ generation: 3 }))).toEqual(['Normal Updated', 'Normal Ready']);
  });

  it('report new data, and a sync that succeeds again', () => {
    const before = status({});
    expect(reasons(before, status({ sources: [{ ...synced, lastSyncHash: 'h2' }] }))).toEqual(['Normal SyncSucceeded']);
    const failed = status({
      sources: [{ ...synced, attemptCount: 1, failure: { reason: 'Unreachable', message: 'nobody is there' } }],
    });
    expect(reasons(before, failed)).toEqual(['Warning SyncFailed']);
    expect(reasons(failed, failed)).toEqual([]);
    expect(reasons(failed, before)).toEqual(['Normal SyncSucceeded']);
  });

  it('report references to missing objects', () => {
    const failure = { reason: 'ConfigMapNotFound' as const, message: 'ConfigMap x/y does not exist' };
    expect(reasons(status({}), status({ sources: [{ ...synced, attemptCount: 1, failure }] }))).toEqual([
      'Warning ReferenceNotFound',
      'Warning SyncFailed',
    ]);
  });

  it('report a manual trigger, an edit and an invalid spec', () => {
    const before = status({ handledTrigger: 'one' });
    expect(reasons(before, status({ handledTrigger: 'two' }))).toEqual(['Normal SyncStarted']);
    expect(reasons(before, status({ handledTrigger: 'one', generation: 2 }))).toEqual(['Normal Updated']);
    expect(reasons(before, status({ handledTrigger: 'one', invalid: 'spec.x is wrong' }))).toEqual([
      'Warning ValidationFailed',
    ]);
  });

  it('report filters that exclude everything and intervals that were raised', () => {
    const notices = [clampedNotice(1_000, 10_000), emptinessNotice({ served: 0, hidden: 7, quarantined: 0 })!];
    const now = status({ sources: [{ ...synced, serverCount: 0, notices }] });
    expect(reasons(status({}), now)).toEqual(['Warning IntervalClamped', 'Warning FilterExcludedAll']);
    expect(statusEvents(status({}), now)[0]?.message).toBe(
      'a: syncs every 10s instead of every 1s: the site allows no shorter interval',
    );
  });

  it('report each notice once, and again when it returns', () => {
    const notices = [
      { reason: 'EnforceServersIgnored', message: 'without effect' },
      { reason: 'MultipleGitRefs', message: 'a: git.commit is read' },
    ] as const;
    const noticed = status({ notices });
    expect(reasons(status({}), noticed)).toEqual(['Normal EnforceServersIgnored', 'Warning MultipleGitRefs']);
    expect(reasons(noticed, status({ notices, generation: 2 }))).toEqual(['Normal Updated']);
    expect(reasons(status({}, noticed), noticed)).toEqual(['Normal EnforceServersIgnored', 'Warning MultipleGitRefs']);
  });

  it('report a name that an object of another owner has', () => {
    const failure = {
      reason: 'ServiceFailed',
      message: 'Service ns/r-api exists already',
      notice: 'NameCollision',
    } as const;
    const server = { endpoint: 'http://r', podTemplate: false, provisioned: false, warnings: [], failure };
    expect(reasons(status({}), status({ server }))).toEqual(['Warning ServiceFailed', 'Warning NameCollision']);
  });
});
