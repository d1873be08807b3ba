import { fork } from 'node:child_process';
import { once } from 'node:events';
import { formatTable } from './bench-table.js';
import type { Bench } from './bench.js';
import { importBench } from './import.bench.js';

const BENCHES: readonly Bench[] = [importBench];

/** `npm run bench [-- NAME...]`: each table for people, then the same as one line of JSON. */
const wanted = process.argv.slice(2);
const names = BENCHES.map(({ name }) => name);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`error: there is no bench called ${unknown.join(' or ')}: choose of ${names.join(', ')}\n`);
  process.exitCode = 1;
} else if (wanted.length === 1) {
  for (const bench of BENCHES.filter(({ name }) => name === wanted[0])) await show(bench);
} else {
  // One after the other, and none in the memory that another has grown.
  for (const name of wanted.length > 0 ? wanted : names) {
    const [code] = (await once(fork(import.meta.filename, [name]), 'exit')) as [number | null];
    if (code !== 0) process.exitCode = 1;
  }
}

async function show(bench: Bench): Promise<void> {
  for (const table of await bench.run()) {
    process.stdout.write(`\n${formatTable(table)}\n${JSON.stringify(table)}\n`);
  }
}
