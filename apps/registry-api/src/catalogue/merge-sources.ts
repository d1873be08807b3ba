import { createHash } from 'node:crypto';
import { compareCodePoints } from './code-point-order.js';
import type { PreparedServer } from './prepared-entry.js';
import type { PreparedSource } from './prepared-source.js';

/**
 * Several sources as one, in the order of the spec: the first that serves a name has it whole, with all its versions; a
 * later source's versions of that name do not exist. A name of which only tombstones are left yields to a live one.
 */
export function mergeSources(sources: readonly PreparedSource[]): PreparedSource {
  const [only, ...others] = sources;
  if (only && others.length === 0) return only;
  return {
    servers: sources.reduce<readonly PreparedServer[]>((merged, { servers }) => mergeServers(merged, servers), []),
    digest: createHash('sha256')
      .update(sources.map(({ digest }) => digest).join())
      .digest('base64url'),
  };
}

/** Both in text order, and so is the result. */
function mergeServers(preferred: readonly PreparedServer[], others: readonly PreparedServer[]): PreparedServer[] {
  const merged: PreparedServer[] = [];
  let at = 0;
  for (const other of others) {
    for (; at < preferred.length && compareCodePoints(nameAt(preferred, at), other.name) < 0; at++) {
      merged.push(preferred[at] as PreparedServer);
    }
    const rival = preferred[at];
    if (rival?.name === other.name) {
      merged.push(rival.latest.deleted && !other.latest.deleted ? other : rival);
      at++;
    } else {
      merged.push(other);
    }
  }
  for (; at < preferred.length; at++) merged.push(preferred[at] as PreparedServer);
  return merged;
}

function nameAt(servers: readonly PreparedServer[], index: number): string {
  return (servers[index] as PreparedServer).name;
}
