import { formats } from './format.js';
import { words } from './words.js';

/** What became of a name or a version in a source, as `explain` says it. */
export interface Verdict {
  readonly verdict: string;
  readonly by?: string;
  readonly until?: string;
  readonly path?: string;
  readonly message?: string;
}

/** Puts a verdict into words. One that this page does not know yet is shown as it is. */
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
