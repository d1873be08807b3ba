import type { Notice } from './notice.js';
import type { StoredContent } from './sync.js';

/** Returns the notice for a successful sync that leaves nothing to serve; undefined when something is served. */
export function emptinessNotice({ served, hidden }: Pick<StoredContent, 'served' | 'hidden'>): Notice | undefined {
  if (served > 0) return undefined;
  if (hidden > 0) return { reason: 'FilterExcludedAll', message: `the filter leaves out all ${hidden} servers` };
  return { reason: 'SourceEmpty', message: 'the source holds no servers' };
}
