import type { Notice } from './notice.js';
import type { StoredContent } from './sync.js';

/**
 * Returns the notice for a successful sync that leaves nothing to serve; undefined when something is served, and for a source
 * that may be empty, unless its filter is the cause.
 */
export function emptinessNotice(
  { served, hidden, quarantined }: Omit<StoredContent, 'contentHash'>,
  mayBeEmpty = false,
): Notice | undefined {
  if (served > 0 || (hidden === 0 && mayBeEmpty)) return undefined;
  if (hidden > 0) return { reason: 'FilterExcludedAll', message: `the filter leaves out all ${hidden} servers` };
  if (quarantined > 0) return { reason: 'SourceEmpty', message: `all ${quarantined} entries are in quarantine` };
  return { reason: 'SourceEmpty', message: 'the source holds no servers' };
}
