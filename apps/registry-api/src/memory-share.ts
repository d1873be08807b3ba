import { totalmem } from 'node:os';

const MIB = 1024 * 1024;

/** A share of what this process may use, by its control group or by the machine, in MiB and within bounds. */
export function memoryShareMiB(share: number, { least, most }: { least: number; most: number }): number {
  // Without a limit the former is 0, or more than there is.
  const limit = process.constrainedMemory();
  const usable = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.round(Math.min(most, Math.max(least, (share * usable) / MIB)));
}
