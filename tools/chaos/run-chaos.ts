import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchTable } from '../bench/bench-table.js';
import { failedWorkflows, settle, wedgedWorkflows } from './checks.js';
import type { Check, Settlement } from './checks.js';
import { FAULTS } from './faults.js';
import type { Fault } from './faults.js';
import { live } from './life.js';
import type { ChaosOptions } from './options.js';
import { processesIn } from './process-table.js';
import { Random } from './random.js';
import { Readers } from './readers.js';
import { Rig } from './rig.js';
import { Samples } from './samples.js';
import type { Watched } from './samples.js';
import { recordedPid } from './supervised-process.js';

/** Maximum number of concurrent faults. */
const AT_ONCE = 3;
interface Pace {
  /** Minimum and maximum duration of a fault. */
  readonly faultMs: readonly [number, number];
  /** Minimum and maximum time from one fault to the next. */
  readonly pauseMs: readonly [number, number];
  readonly sampleMs: number;
}

/** Runs shorter than this are rehearsals: faults follow each other quickly, and memory is not checked. */
const REHEARSAL_MINUTES = 2;
const PACE: Readonly<Record<'rehearsal' | 'run', Pace>> = {
  rehearsal: { faultMs: [500, 3_000], pauseMs: [300, 1_500], sampleMs: 1_000 },
  run: { faultMs: [1_000, 20_000], pauseMs: [2_000, 12_000], sampleMs: 5_000 },
};
/**
 * The share of the run after which the operator is no longer killed, unless it has not been killed yet, so that its
 * memory can be checked.
 */
const LAST_KILL_OF_OPERATOR = 0.4;
const READY_MS = 15 * 60_000;

export interface ChaosResult {
  readonly tables: readonly BenchTable[];
  readonly checks: readonly Check[];
}

type Log = (line: string) => void;

/**
 * Starts everything, injects faults for as long as the options say, and checks that everything has recovered. If the
 * signal is aborted, stops everything and rejects.
 */
export async function runChaos(options: ChaosOptions, log: Log, signal: AbortSignal): Promise<ChaosResult> {
  let directory: string;
  let result: ChaosResult;
  {
    await using rig = await Rig.start(options, log);
    directory = rig.parts.directory;
    result = await endure(rig, options, { log, signal });
    log('stopping everything');
  }
  const left = { what: 'nothing is left running', faults: await processesIn(directory) };
  return { ...result, checks: [...result.checks, left] };
}

async function endure(
  rig: Rig,
  options: ChaosOptions,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<ChaosResult> {
  log('waiting until every server is ready');
  await awaitReady(rig, signal);
  const pace = options.minutes < REHEARSAL_MINUTES ? PACE.rehearsal : PACE.run;
  const random = new Random(options.seed);
  await using samples = new Samples(() => watchedOf(rig), pace.sampleMs);
  const served = rig.pods.map((pod, index) => ({ pod, registry: rig.registries[index]! }));
  await using readers = new Readers(served);
  const over = new AbortController();
  const edits = live(rig, new Random(options.seed + 1), AbortSignal.any([over.signal, signal]));
  const startedAt = performance.now();
  const injected = await inject(rig, options, { random, pace, log, signal });
  const minutes = (performance.now() - startedAt) / 60_000;
  over.abort();
  await samples[Symbol.asyncDispose]();
  await writeFile(join(rig.parts.directory, 'samples.json'), JSON.stringify(samples.all()));

  log(`faults have ended after ${minutes.toFixed(1)} min and ${await edits} edits; waiting until all has settled`);
  const settled = await settle(rig, { faultsEndedAt: Date.now(), seconds: options.settleSeconds, log });
  await readers[Symbol.asyncDispose]();
  const checks = [...checksOfSettling(rig, settled), ...(await checksOfRun(rig, { readers, samples, injected }))];
  return { tables: [faultTable(injected, minutes), samples.table()], checks };
}

function checksOfSettling({ registries }: Rig, { unsettled, unserved, tookSeconds }: Settlement): Check[] {
  return [
    {
      what: `all ${registries.length} registries exist and have settled`,
      faults: unsettled,
      detail: `${tookSeconds} s after the last fault`,
    },
    { what: 'every list equals the content of its source', faults: unserved },
  ];
}

async function checksOfRun(
  rig: Rig,
  { readers, samples, injected }: { readonly readers: Readers; readonly samples: Samples; readonly injected: Injected },
): Promise<Check[]> {
  const { operator } = rig.parts;
  const deaths = [operator.deaths, ...rig.pods.flatMap(({ deaths, process }) => [deaths, process?.deaths ?? []])];
  return [
    { what: 'every answer was one whole edition', faults: readers.violations, detail: `${readers.answers} answers` },
    { what: 'no process ended by itself', faults: deaths.flat() },
    { what: 'no workflow is wedged', faults: await wedgedWorkflows(rig) },
    { what: 'no workflow failed', faults: await failedWorkflows(rig) },
    { what: 'every fault could be injected', faults: injected.errors },
    {
      what: 'memory, threads and descriptors are level',
      faults: samples.rising(),
      detail: `${samples.judged} processes lived long enough to be judged`,
    },
  ];
}

async function awaitReady(rig: Rig, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (const pod of rig.pods) {
    while (!(await pod.isReady())) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`the server of ${pod.name} did not become ready`);
      await sleep(500);
    }
  }
}

async function watchedOf(rig: Rig): Promise<Watched[]> {
  const { operator, dependencies } = rig.parts;
  const ours = [operator, ...rig.pods.map(({ name, process }) => ({ name, pid: process?.pid }))];
  const others = Object.values(dependencies).map(async (each) => ({
    name: each.name,
    pid: await recordedPid(each.record),
  }));
  return [
    ...ours.map(({ name, pid }) => ({ name, pid, isOurs: true })),
    ...(await Promise.all(others)).map(({ name, pid }) => ({ name, pid, isOurs: false })),
  ];
}

interface Injected {
  /** Number of injections of each kind of fault. */
  readonly counts: Map<Fault, number>;
  readonly skipped: Map<Fault, string>;
  /** Errors of the chaos tool itself. */
  readonly errors: string[];
}

interface Injection {
  readonly random: Random;
  readonly pace: Pace;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Injects each kind of fault once, in random order, and then random faults until the time is up. */
async function inject(
  rig: Rig,
  { minutes }: ChaosOptions,
  { random, pace, log, signal }: Injection,
): Promise<Injected> {
  const skipped = new Map(FAULTS.flatMap((fault) => skipOf(fault, rig)));
  for (const [fault, reason] of skipped) log(`skipped: ${fault.name}: ${reason}`);
  const possible = FAULTS.filter((fault) => !skipped.has(fault));
  const injected: Injected = { counts: new Map(possible.map((fault) => [fault, 0])), skipped, errors: [] };
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 60_000;
  const running = new Set<Promise<void>>();
  for (const queue = random.shuffle(possible); !signal.aborted && (queue.length > 0 || elapsed() < minutes);) {
    const fault = queue.shift() ?? random.pick(possible);
    const context = {
      rig,
      random: new Random(random.next() * 2 ** 32),
      ms: random.between(...pace.faultMs),
      mayKillOperator: injected.counts.get(fault) === 0 || elapsed() < minutes * LAST_KILL_OF_OPERATOR,
    };
    const injecting = fault.inject(context).then(
      (what) => {
        if (what === undefined) return void (injected.counts.get(fault) === 0 && queue.push(fault));
        injected.counts.set(fault, (injected.counts.get(fault) ?? 0) + 1);
        log(`${elapsed().toFixed(2).padStart(6)} min  ${fault.name}: ${what}`);
      },
      (error: Error) => void injected.errors.push(`${fault.name}: ${error.message}`),
    );
    const tracked: Promise<void> = injecting.finally(() => running.delete(tracked));
    running.add(tracked);
    if (running.size >= AT_ONCE || queue.length === 0) await Promise.race(running);
    await sleep(random.between(...pace.pauseMs), undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(running);
  signal.throwIfAborted();
  return injected;
}

function skipOf(fault: Fault, rig: Rig): [Fault, string][] {
  const reason = fault.skipped?.(rig);
  return reason === undefined ? [] : [[fault, reason]];
}

function faultTable({ counts, skipped }: Injected, minutes: number): BenchTable {
  return {
    title: `Faults in ${minutes.toFixed(1)} min`,
    head: ['fault', 'times'],
    rows: [
      ...[...counts].map(([{ name }, times]) => [name, times] as const),
      ...[...skipped].map(([{ name }, reason]) => [name, `skipped: ${reason}`] as const),
    ],
  };
}
