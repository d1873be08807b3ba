import { UNREACHABLE } from './api/sources.js';
import type { SyncRun } from './api/sources.js';

/** The outcomes, in the order of the legend. */
export const OUTCOMES = ['changed', 'unchanged', 'unreachable', 'failed'] as const;

export type Outcome = (typeof OUTCOMES)[number];

export function outcomeOf({ failure, counts }: SyncRun): Outcome {
  if (failure) return failure.reason === UNREACHABLE ? 'unreachable' : 'failed';
  const { added = 0, updated = 0, removed = 0 } = counts ?? {};
  return added + updated + removed > 0 ? 'changed' : 'unchanged';
}

export interface RunSummary {
  readonly total: number;
  readonly failed: number;
  readonly unreachable: number;
  /** Zero if there is no run. */
  readonly medianMs: number;
}

export function summarizeRuns(runs: readonly SyncRun[]): RunSummary {
  const durations = runs.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  const half = Math.floor(durations.length / 2);
  const [low = 0, high = 0] =
    durations.length % 2 === 0 ? [durations[half - 1], durations[half]] : [durations[half], durations[half]];
  const countOf = (outcome: Outcome) => runs.filter((run) => outcomeOf(run) === outcome).length;
  return {
    total: runs.length,
    failed: countOf('failed'),
    unreachable: countOf('unreachable'),
    medianMs: (low + high) / 2,
  };
}

/**
 * Columns for a plot of runs, oldest first. Each run has a value in the column of its outcome and null in the others.
 */
export interface RunColumns {
  readonly index: number[];
  readonly durationSeconds: Readonly<Record<Outcome, (number | null)[]>>;
  /**
   * Numbers of changed entries, cumulative: `removed`, `updated` including removed, and `added` including both, so that
   * the plot can draw each bar in front of the larger one.
   */
  readonly changes: Readonly<Record<'removed' | 'updated' | 'added', number[]>>;
}

/** Converts runs, newest first as the API lists them, to columns. */
export function toColumns(runs: readonly SyncRun[]): RunColumns {
  const oldestFirst = runs.toReversed();
  const seconds = (outcome: Outcome) =>
    oldestFirst.map((run) => (outcomeOf(run) === outcome ? run.durationMs / 1000 : null));
  const stacked = oldestFirst.map(({ counts }) => {
    const { added = 0, updated = 0, removed = 0 } = counts ?? {};
    return { removed, updated: removed + updated, added: removed + updated + added };
  });
  return {
    index: oldestFirst.map((_, at) => at),
    durationSeconds: {
      changed: seconds('changed'),
      unchanged: seconds('unchanged'),
      unreachable: seconds('unreachable'),
      failed: seconds('failed'),
    },
    changes: {
      removed: stacked.map(({ removed }) => removed),
      updated: stacked.map(({ updated }) => updated),
      added: stacked.map(({ added }) => added),
    },
  };
}

/**
 * Returns the upper bound of an axis that starts at zero: 1, 2 or 5 times a power of ten, with some space above the
 * highest bar.
 */
export function niceMaximum(highest: number, least: number): number {
  const wanted = Math.max(highest * 1.05, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5, 10].find((step) => step * power >= wanted) ?? 10) * power;
}
