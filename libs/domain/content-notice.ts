import { emptinessNotice } from './emptiness-notice.js';
import type { Notice } from './notice.js';
import { ANNOTATION_PREFIX } from './server-object.js';
import type { ReadingCounts, StoredContent } from './sync.js';

/** Returns the notice of a successful sync about the content that it read or found; undefined if there is none. */
export function contentNotice(
  content: Omit<StoredContent, 'contentHash'> & Partial<ReadingCounts>,
  mayBeEmpty = false,
): Notice | undefined {
  return (
    emptinessNotice(content, mayBeEmpty) ??
    assumedVersionsNotice(content.versionsAssumed) ??
    droppedNullsNotice(content.nullsDropped)
  );
}

function assumedVersionsNotice(count = 0): Notice | undefined {
  if (count === 0) return undefined;
  const servers = count === 1 ? 'one server has' : `${count} servers have`;
  const remedy = `set the annotation ${ANNOTATION_PREFIX}registry-version, or a tag that is a version`;
  return { reason: 'VersionAssumed', message: `${servers} no version, so the default 1.0.0 is served: ${remedy}` };
}

function droppedNullsNotice(count = 0): Notice | undefined {
  if (count === 0) return undefined;
  const fields = count === 1 ? 'one field of its entries is' : `${count} fields of its entries are`;
  return { reason: 'NullsDropped', message: `${fields} null, which counts as absent: omit such fields` };
}
