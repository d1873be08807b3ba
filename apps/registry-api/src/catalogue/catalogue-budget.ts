import { totalmem } from 'node:os';

/**
 * Share of the memory for documents. The rest is for the process itself, for concurrent imports, and for a second copy
 * of a source while its memory is compacted.
 */
const SHARE = 0.4;

/**
 * Returns the maximum bytes of documents: a share of the memory limit of the control group, or of the machine's memory.
 */
export function defaultCatalogueBudget(): number {
  // Without a control group, the limit is 0 or larger than the memory of the machine.
  const limit = process.constrainedMemory();
  return Math.floor(SHARE * (limit > 0 ? Math.min(limit, totalmem()) : totalmem()));
}
