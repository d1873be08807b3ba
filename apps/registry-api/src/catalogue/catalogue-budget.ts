import { totalmem } from 'node:os';

/** The rest is for the process itself, for imports beside it, and for a second copy of a source while that is tidied. */
const SHARE = 0.4;

/** How many bytes documents may take: a share of what the process may use, by its control group or by the machine. */
export function defaultCatalogueBudget(): number {
  // Without a limit the former is 0, or more than there is.
  const limit = process.constrainedMemory();
  return Math.floor(SHARE * (limit > 0 ? Math.min(limit, totalmem()) : totalmem()));
}
