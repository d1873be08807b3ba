import { totalmem } from 'node:os';

const MIB = 1024 * 1024;

/** Returns a share of the memory limit of the control group, or of the machine's memory, in MiB and within bounds. */
export function memoryShareMiB(share: number, { least, most }: { least: number; most: number }): number {
  // Without a control group, the limit is 0 or larger than the memory of the machine.
  const limit = process.constrainedMemory();
  const usable = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.round(Math.min(most, Math.max(least, (share * usable) / MIB)));
}
