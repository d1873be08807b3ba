import type { Notice } from './notice.js';
import type { StoredContent } from './sync.js';

/**
 * Returns the notice for a successful sync after which nothing is served. Returns undefined if something is served, or
 * if the source may be empty and its filter is not the cause.
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
