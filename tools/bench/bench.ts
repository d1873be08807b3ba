import type { BenchTable } from './bench-table.js';

/**
 * One measurement, which consists of a file and a line in main.ts. It runs in a separate process and cleans up after
 * itself.
 */
export interface Bench {
  /** Name of the bench, for `npm run bench -- NAME`. */
  readonly name: string;
  /** Runs the bench. `argument` is the part after the name, as in `NAME=5m`. */
  run(argument?: string): Promise<readonly BenchTable[]>;
}
