import type { BenchTable } from './bench-table.js';

/** One measurement: a file of its own, and a line in main.ts. It runs in a process of its own and cleans up behind it. */
export interface Bench {
  /** Name of the bench, for `npm run bench -- NAME`. */
  readonly name: string;
  /** `argument`: what follows the name, as in `NAME=5m`. */
  run(argument?: string): Promise<readonly BenchTable[]>;
}
