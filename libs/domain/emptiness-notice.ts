import type { Notice } from './notice.js';
import type { StoredContent } from './sync.js';

/** A sync that leaves nothing to serve is a success that somebody should look at; undefined when it leaves something. */
export function emptinessNotice({ served, hidden }: Pick<StoredContent, 'served' | 'hidden'>): Notice | undefined {
  if (served > 0) return undefined;
  if (hidden > 0) return { reason: 'FilterExcludedAll', message: `the filter leaves out all ${hidden} servers` };
  return { reason: 'SourceEmpty', message: 'the source holds no servers' };
}
