import { formats } from './format.js';
import { words } from './words.js';

/** The verdict on a name or a version in a source, as returned by `explain`. */
export interface Verdict {
  readonly verdict: string;
  readonly by?: string;
  readonly until?: string;
  readonly path?: string;
  readonly message?: string;
}

/** Describes a verdict in words. A verdict that this page does not know is shown unchanged. */
export function describeVerdict({ verdict, by, until, path, message }: Verdict): string {
  const describe = words.verdicts[verdict];
  if (!describe) return verdict;
  const fault = [path, message].filter((one) => one !== undefined && one !== '').join(' ');
  return describe(by ?? fault, toDate(until));
}

function toDate(iso: string | undefined): string {
  const ms = Date.parse(iso ?? '');
  return Number.isFinite(ms) ? formats.date(ms) : '';
}
