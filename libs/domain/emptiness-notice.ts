import type { Notice } from './notice.js';
import type { StoredContent } from './sync.js';

/** Returns the notice for a successful sync that leaves nothing to serve; undefined when something is served. */
export function emptinessNotice({
  served,
  hidden,
  quarantined,
}: Omit<StoredContent, 'contentHash'>): Notice | undefined {
  if (served > 0) return undefined;
  if (hidden > 0) return { reason: 'FilterExcludedAll', message: `the filter leaves out all ${hidden} servers` };
  if (quarantined > 0) return { reason: 'SourceEmpty', message: `all ${quarantined} entries are in quarantine` };
  return { reason: 'SourceEmpty', message: 'the source holds no servers' };
}
