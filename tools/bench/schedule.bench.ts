import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration, parseGoDuration } from '#domain/go-duration.js';
import type { Bench } from './bench.js';
import { StandaloneProcess } from './schedule/standalone-process.js';
import { openTwentySources } from './schedule/twenty-sources.js';

const INTERVAL_MS = 10_000;
/** The part of an interval that the schedule itself adds, so that sources are spread out. */
const JITTER_MS = INTERVAL_MS / 10;
const DEFAULT_DURATION = '1m';
const TOLERATED_MS = 2_000;

/**
 * Runs twenty sources at an interval of 10 s in one process, one of them dead, and measures how late each sync starts.
 */
export const scheduleBench: Bench = {
  name: 'schedule',

  /** `duration`: for example `5m`. Default: one minute. */
  async run(duration = DEFAULT_DURATION) {
    const durationMs = parseGoDuration(duration);
    if (durationMs === undefined) throw new Error(`${duration} is not a duration: write 90s or 5m`);
    const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-bench-'));
    try {
      await using sources = await openTwentySources(directory, formatDuration(INTERVAL_MS));
      await using product = await StandaloneProcess.start(sources.manifest, {
        DATA_DIR: join(directory, 'data'),
        ...sources.environment,
      });
      await sleep(durationMs);
      const rows: (string | number)[][] = [];
      const all: number[] = [];
      for (const [kind, names] of Object.entries(sources.names)) {
        const runs = await Promise.all(names.map((name) => readRuns(product.url, name)));
        const late = runs.flatMap(latenesses);
        if (kind !== 'dead') all.push(...late);
        rows.push(toRow(`${names.length} × ${kind}`, runs.flat().length, late));
      }
      rows.push(toRow('all that live', '', all));
      const within = all.filter((lateMs) => lateMs <= TOLERATED_MS).length;
      const load = `load average ${loadavg()[0]?.toFixed(1)} on ${cpus().length} cores`;
      const about = `${within} of ${all.length} started within ${formatDuration(TOLERATED_MS)}, ${load}`;
      return [
        {
          title: `Schedule: 20 sources every ${formatDuration(INTERVAL_MS)} for ${duration}; ${about}`,
          head: ['sources', 'syncs', `late ms p50 (jitter 0–${JITTER_MS})`, 'p99', 'max'],
          rows,
        },
      ];
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

interface Run {
  readonly startedAt: string;
}

/** Returns the runs of a source, oldest first. */
async function readRuns(url: string, source: string): Promise<Run[]> {
  const response = await fetch(`${url}/v1/sources/${source}/runs?limit=1000`);
  const { runs } = (await response.json()) as { runs: Run[] };
  return runs.toReversed();
}

/** Returns how late each run started, compared with one interval after the start of the run before it. */
function latenesses(runs: readonly Run[]): number[] {
  const starts = runs.map(({ startedAt }) => Date.parse(startedAt));
  return starts.slice(1).map((start, index) => start - (starts[index] as number) - INTERVAL_MS);
}

function toRow(label: string, syncs: number | string, late: readonly number[]): (string | number)[] {
  const sorted = late.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? '–';
  return [label, syncs, at(0.5), at(0.99), sorted.at(-1) ?? '–'];
}
