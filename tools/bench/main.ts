import { fork } from 'node:child_process';
import { once } from 'node:events';
import { formatTable } from './bench-table.js';
import { authBench } from './auth.bench.js';
import type { Bench } from './bench.js';
import { consoleBench } from './console.bench.js';
import { exportsBench } from './exports.bench.js';
import { importBench } from './import.bench.js';
import { importUnderReadsBench } from './import-under-reads.bench.js';
import { operatorBench } from './operator.bench.js';
import { readersBench } from './readers.bench.js';
import { readsBench } from './reads.bench.js';
import { scheduleBench } from './schedule.bench.js';
import { temporalBench } from './temporal.bench.js';

const BENCHES: readonly Bench[] = [
  importBench,
  importUnderReadsBench,
  readsBench,
  readersBench,
  scheduleBench,
  temporalBench,
  authBench,
  operatorBench,
  consoleBench,
  exportsBench,
];

/** `npm run bench [-- NAME[=ARGUMENT]...]`: prints each table for people, then as one line of JSON. */
const wanted = process.argv.slice(2);
const names = BENCHES.map(({ name }) => name);
const nameOf = (text: string) => text.split('=', 1).join();
const unknown = wanted.map(nameOf).filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`error: there is no bench called ${unknown.join(' or ')}: choose from ${names.join(', ')}\n`);
  process.exitCode = 1;
} else if (wanted.length === 1) {
  const [text = ''] = wanted;
  const argument = text.slice(nameOf(text).length + 1) || undefined;
  for (const bench of BENCHES.filter(({ name }) => name === nameOf(text))) await show(bench, argument);
} else {
  // Run the benches one after the other, each in a new process, so that no bench runs in memory that another has grown.
  for (const name of wanted.length > 0 ? wanted : names) {
    const [code] = (await once(fork(import.meta.filename, [name]), 'exit')) as [number | null];
    if (code !== 0) process.exitCode = 1;
  }
}

async function show(bench: Bench, argument: string | undefined): Promise<void> {
  for (const table of await bench.run(argument)) {
    process.stdout.write(`\n${formatTable(table)}\n${JSON.stringify(table)}\n`);
  }
}
