import type { PreparedEntry } from './prepared-entry.js';

const HEAD = Buffer.from('{"servers":[');

/** The ServerList of the generic registry API. Entries that lie side by side in memory go out in one piece. */
export function composeServerList(entries: readonly PreparedEntry[], nextCursor?: string): Buffer[] {
  const parts: Buffer[] = [HEAD];
  for (let at = 0; at < entries.length;) {
    const first = entries[at] as PreparedEntry;
    let last = first;
    for (at++; at < entries.length; at++) {
      const next = entries[at] as PreparedEntry;
      if (next.slab !== last.slab || next.start !== last.end + 1) break;
      last = next;
    }
    // Every entry has a comma behind it; only the last of the page goes without.
    parts.push(first.slab.subarray(first.start, at < entries.length ? last.end + 1 : last.end));
  }
  const metadata = JSON.stringify({ count: entries.length, nextCursor });
  parts.push(Buffer.from(`],"metadata":${metadata}}`));
  return parts;
}
