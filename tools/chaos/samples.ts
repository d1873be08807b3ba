import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchTable } from '../bench/bench-table.js';
import { usageOf } from './process-table.js';
import type { Usage } from './process-table.js';

/** Minimum number of samples that show a trend, because the heap of a process takes some minutes to reach its size. */
const LEAST_SAMPLES = 100;
/**
 * The share of samples to skip at the start, because the memory of a new process grows until its caches and heap have
 * reached their size.
 */
const WARM_UP_SHARE = 0.2;
const FIELDS = ['rssMiB', 'threads', 'descriptors'] as const;
/** By how much the median of the last third may exceed that of the first: a share of it, plus a constant. */
const ALLOWANCE: Readonly<Record<(typeof FIELDS)[number], readonly [share: number, constant: number]>> = {
  rssMiB: [0.15, 16],
  threads: [0, 4],
  descriptors: [0.1, 12],
};

/** A process to sample. */
export interface Watched {
  readonly name: string;
  /** Undefined while the process is not running. */
  readonly pid: number | undefined;
  /** Whether the process belongs to the product. Other processes are shown but not checked. */
  readonly isOurs: boolean;
}

interface Life {
  readonly pid: number;
  readonly samples: Usage[];
}

/** Samples the resource usage of processes. */
export class Samples implements AsyncDisposable {
  /** The lives of each process, by its name. A restart begins a new life. */
  readonly #lives = new Map<string, Life[]>();
  /** Names of the processes that belong to the product. */
  readonly #ours = new Set<string>();
  readonly #over = new AbortController();
  readonly #loop: Promise<void>;

  constructor(
    private readonly processes: () => Promise<readonly Watched[]>,
    everyMs: number,
    private readonly look: (pid: number) => Promise<Usage | undefined> = usageOf,
  ) {
    this.#loop = this.#keepSampling(everyMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#loop;
  }

  /** Returns the medians of the first and the last third after the warm-up, for the longest life of each process. */
  table(): BenchTable {
    const rows = [...this.#lives].map(([name, lives]) => {
      const samples = longest(lives);
      const [first, last] = thirds(samples);
      const pair = (field: keyof Usage) => `${Math.round(median(first, field))} → ${Math.round(median(last, field))}`;
      return [
        name,
        lives.length,
        samples.length,
        ...FIELDS.map(pair),
        this.#ours.has(name) ? (verdict(samples) ?? 'level') : 'not ours',
      ];
    });
    return {
      title: 'Processes: medians of the first and the last third of the longest life of each',
      head: ['process', 'lives', 'samples', 'RSS MiB', 'threads', 'descriptors', ''],
      rows,
    };
  }

  /** Returns the processes of the product that lived long enough to be checked and whose resource usage is rising. */
  rising(): string[] {
    return [...this.#lives].flatMap(([name, lives]) => {
      if (!this.#ours.has(name)) return [];
      const found = verdict(longest(lives));
      return found === undefined || found === TOO_SHORT ? [] : [`${name}: ${found}`];
    });
  }

  /** Returns the number of processes of the product that lived long enough to be checked. */
  get judged(): number {
    const ours = [...this.#lives].filter(([name]) => this.#ours.has(name));
    return ours.filter(([, lives]) => verdict(longest(lives)) !== TOO_SHORT).length;
  }

  /** Returns all samples by process name, with a list for each life. */
  all(): Readonly<Record<string, readonly (readonly Usage[])[]>> {
    return Object.fromEntries([...this.#lives].map(([name, lives]) => [name, lives.map(({ samples }) => samples)]));
  }

  async #keepSampling(everyMs: number): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      for (const watched of await this.processes()) await this.#sample(watched);
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #sample({ name, pid, isOurs }: Watched): Promise<void> {
    if (isOurs) this.#ours.add(name);
    const usage = pid === undefined ? undefined : await this.look(pid);
    if (pid === undefined || !usage) return;
    const lives = this.#lives.get(name) ?? [];
    if (lives.at(-1)?.pid !== pid) lives.push({ pid, samples: [] });
    lives.at(-1)?.samples.push(usage);
    this.#lives.set(name, lives);
  }
}

const TOO_SHORT = 'too short';

function longest(lives: readonly Life[]): readonly Usage[] {
  const all = lives.map(({ samples }) => samples).toSorted((a, b) => b.length - a.length)[0] ?? [];
  return all.slice(Math.floor(all.length * WARM_UP_SHARE));
}

function thirds(samples: readonly Usage[]): [first: readonly Usage[], last: readonly Usage[]] {
  const size = Math.max(1, Math.floor(samples.length / 3));
  return [samples.slice(0, size), samples.slice(-size)];
}

/** Returns why the samples fail the check; undefined if the usage is level. */
function verdict(samples: readonly Usage[]): string | undefined {
  if (samples.length < LEAST_SAMPLES) return TOO_SHORT;
  const [first, last] = thirds(samples);
  const rising = FIELDS.filter((field) => {
    const [share, constant] = ALLOWANCE[field];
    return median(last, field) > median(first, field) * (1 + share) + constant;
  });
  return rising.length > 0 ? `${rising.join(', ')} rose` : undefined;
}

function median(samples: readonly Usage[], field: keyof Usage): number {
  const sorted = samples.map((sample) => sample[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
