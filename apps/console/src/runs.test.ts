import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SyncRun } from './api/sources.js';
import { niceMaximum, outcomeOf, summarizeRuns, toColumns } from './runs.js';

const run = (fields: Partial<SyncRun>): SyncRun => ({
  workflowId: 'x',
  trigger: 'interval',
  startedAt: '2026-11-30T12:00:00Z',
  finishedAt: '2026-11-30T12:00:01Z',
  durationMs: 1000,
  ...fields,
});

const failed = run({ failure: { reason: 'FetchFailed', message: 'away' }, durationMs: 3000 });
const unreachable = run({ failure: { reason: 'Unreachable', message: 'no network' } });
const unchanged = run({ counts: { unchanged: 4 }, durationMs: 200 });
const changed = run({ counts: { added: 2, updated: 1, removed: 3 } });

describe('runs', () => {
  it('have an outcome', () => {
    expect([failed, unreachable, unchanged, changed, run({})].map(outcomeOf)).toEqual([
      'failed',
      'unreachable',
      'unchanged',
      'changed',
      'unchanged',
    ]);
  });

  it('are summarized', () => {
    expect(summarizeRuns([failed, unchanged, changed])).toEqual({
      total: 3,
      failed: 1,
      unreachable: 0,
      medianMs: 1000,
    });
    expect(summarizeRuns([failed, changed])).toEqual({ total: 2, failed: 1, unreachable: 0, medianMs: 2000 });
    expect(summarizeRuns([unreachable])).toEqual({ total: 1, failed: 0, unreachable: 1, medianMs: 1000 });
    expect(summarizeRuns([])).toEqual({ total: 0, failed: 0, unreachable: 0, medianMs: 0 });
  });

  it('become columns, oldest first, each run in the column of its outcome', () => {
    expect(toColumns([changed, unchanged, failed])).toEqual({
      index: [0, 1, 2],
      durationSeconds: {
        failed: [3, null, null],
        unreachable: [null, null, null],
        unchanged: [null, 0.2, null],
        changed: [null, null, 1],
      },
      changes: { removed: [0, 0, 3], updated: [0, 0, 4], added: [0, 0, 6] },
    });
  });
});

describe('the upper bound of an axis', () => {
  it.each([
    [0, 4, 5],
    [0.3, 0.1, 0.5],
    [0.96, 0.1, 2],
    [1.2, 0.1, 2],
    [4.9, 0.1, 10],
    [101, 4, 200],
  ])('for %d, at least %d, is %d', (highest, least, end) => {
    expect(niceMaximum(highest, least)).toBeCloseTo(end, 10);
  });

  it('has space for the highest bar, but not much more', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e9, noNaN: true }), (highest) => {
        const end = niceMaximum(highest, 0.001);
        expect(end).toBeGreaterThanOrEqual(highest);
        expect(end).toBeLessThan(highest * 3 + 0.01);
      }),
    );
  });
});
