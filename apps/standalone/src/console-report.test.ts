import { beforeEach, expect, it } from 'vitest';
import type { RegistryFacts } from '#domain/status/registry-facts.js';
import type { SyncOutcome } from '#domain/sync.js';
import { ConsoleReport } from './console-report.js';

const ref = { namespace: 'default', name: 'team', uid: 'u' };
const API = { api: 'http://localhost:8080', temporal: { address: '127.0.0.1:7233', uiUrl: 'http://127.0.0.1:8233' } };
const CLOCK = /(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d/g;
const NEXT = Date.UTC(2026, 10, 22, 12, 30);
const FUTURE = Date.UTC(2999, 0, 1);

let out: string[];
let errors: string[];
let report: ConsoleReport;

beforeEach(() => {
  out = [];
  errors = [];
  report = new ConsoleReport({ stdout: (text) => out.push(text), stderr: (text) => errors.push(text) });
});

const facts = (...sources: RegistryFacts['sources']): RegistryFacts => ({
  generation: 1,
  deleting: false,
  serving: true,
  sources,
});

const outcome = (more: Partial<SyncOutcome> = {}): SyncOutcome => ({
  source: 'git',
  run: 1,
  storeId: 's',
  trigger: 'retry',
  startedAt: NEXT - 2_000,
  finishedAt: NEXT,
  ...more,
});

/** Returns the console line that reports a run, with every time of day replaced. */
async function told(ended: SyncOutcome, offline = false): Promise<string | undefined> {
  out.length = 0;
  const next = facts({ name: 'git', attemptCount: 1, nextSyncAtMs: NEXT });
  const asked = Promise.resolve(next);
  report.run(ref, ended, { findFacts: () => asked, isOffline: () => Promise.resolve(offline) });
  await new Promise(setImmediate);
  return out[0]?.replaceAll(CLOCK, 'TIME');
}

it('ends the start with a table, the errors, the addresses, and the word ready last', () => {
  report.ready(
    [
      {
        ref,
        watched: new Set(['good', 'slow']),
        offline: new Set(['far']),
        facts: facts(
          { name: 'good', attemptCount: 0, lastSyncAtMs: NEXT, serverCount: 7 },
          { name: 'bad', attemptCount: 2, failure: { reason: 'FileNotFound', message: 'no such file' } },
          { name: 'far', attemptCount: 1, failure: { reason: 'Unreachable', message: 'no DNS' }, nextSyncAtMs: FUTURE },
          { name: 'slow', attemptCount: 0, running: { sinceMs: NEXT, manual: false } },
        ),
      },
      {
        ref: { ...ref, name: 'other' },
        watched: new Set(),
        offline: new Set(),
        facts: facts({ name: 'new', attemptCount: 0 }),
      },
      {
        ref: { ...ref, name: 'viewed' },
        watched: new Set(['part', 'unused']),
        offline: new Set(),
        facts: facts({ name: 'part', attemptCount: 0 }, { name: 'unused', attemptCount: 0 }),
        views: [{ name: 'view', sources: ['part'] }],
      },
    ],
    API,
  );
  expect(out.join('\n').replaceAll(CLOCK, 'TIME').trim().split('\n')).toEqual([
    'Console http://localhost:8080/',
    '',
    'REGISTRY        SOURCE  PHASE     SERVERS  NEXT SYNC            URL',
    'default/team    good    Complete  7        on change            http://localhost:8080/registry/good/v0.1/servers',
    'default/team    bad     Failed    -        on trigger           http://localhost:8080/registry/bad/v0.1/servers',
    'default/team    far     Waiting   -        TIME  http://localhost:8080/registry/far/v0.1/servers',
    'default/team    slow    Syncing   -        running              http://localhost:8080/registry/slow/v0.1/servers',
    'default/other   new     Pending   -        on trigger           http://localhost:8080/default/other/registry/new/v0.1/servers',
    'default/viewed  part    Pending   -        on change            http://localhost:8080/default/viewed/registry/view/v0.1/servers',
    'default/viewed  unused  Pending   -        on change            -',
    '',
    'default/team bad: FileNotFound: no such file',
    'default/team far: no network: will try again at TIME',
    'default/team slow: still trying since TIME',
    'Temporal UI http://127.0.0.1:8233 (server 127.0.0.1:7233)',
    'ready http://localhost:8080',
  ]);
});

it('prints one line per run, and the details of a failure only once', async () => {
  expect(await told(outcome())).toBeUndefined();
  report.ready([], API);
  const counts = { served: 5, hidden: 0, quarantined: 1, added: 2, updated: 0, removed: 3, unchanged: 3 };
  expect(await told(outcome({ counts, revision: '0123456789abcdef' }))).toBe(
    'TIME default/team git (retry): 5 servers (2 added, 3 removed, 1 in quarantine) at 0123456789ab in 2s, next sync TIME',
  );
  const single = { ...counts, served: 1, removed: 0, quarantined: 0 };
  expect(await told(outcome({ counts: single, revision: '0123456789abcdef' }))).toContain('1 server (2 added) at');
  const failed = outcome({ failure: { reason: 'Unreachable', message: 'gone', destiny: 'retry' } });
  expect(await told(failed)).toBe('TIME default/team git (retry): failed, next sync TIME: Unreachable: gone');
  expect(await told(failed)).toBe('TIME default/team git (retry): failed again, next sync TIME: Unreachable');
  const unchanged = outcome({ revision: '0123456789abcdef' });
  expect(await told(unchanged)).toBe('TIME default/team git (retry): unchanged at 0123456789ab in 2s, next sync TIME');
  expect(await told(failed)).toBe('TIME default/team git (retry): failed, next sync TIME: Unreachable: gone');
});

it('reports a missing network only once', async () => {
  report.ready([], API);
  const failed = outcome({ failure: { reason: 'Unreachable', message: 'no DNS', destiny: 'retry' } });
  expect(await told(failed, true)).toBe('TIME default/team git (retry): no network: will try again at TIME');
  expect(await told(failed, true)).toBeUndefined();
  expect(await told(failed)).toBe('TIME default/team git (retry): failed again, next sync TIME: Unreachable');
});

it('prints the errors of the manifests once, and when they are fixed', () => {
  const fault = { file: 'a.yaml', line: 3, field: 'spec', message: 'is missing' };
  report.documents([], []);
  report.documents([fault], []);
  report.documents([fault], []);
  report.documents([], []);
  expect(errors).toEqual(['error: a.yaml:3: spec: is missing', 'the manifests have no errors any more']);
});

it('prints nothing more when it is stopping', async () => {
  report.ready([], API);
  report.stopping();
  expect(await told(outcome())).toBeUndefined();
  expect(errors).toEqual(['stopping']);
});
