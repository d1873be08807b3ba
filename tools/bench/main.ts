import { formatTable } from './bench-table.js';
import type { BenchTable } from './bench-table.js';
import { importBench } from './import-bench.js';

const benches: Readonly<Record<string, () => Promise<BenchTable>>> = { import: importBench };

/** `npm run bench [-- NAME...]`: a table for people, then the same as one line of JSON. */
const wanted = process.argv.slice(2);
const tables: BenchTable[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const table = await bench();
  tables.push(table);
  process.stdout.write(`\n${formatTable(table)}\n`);
}
process.stdout.write(`\n${JSON.stringify(tables)}\n`);
