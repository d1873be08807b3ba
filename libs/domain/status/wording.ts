import type { SourceFacts } from './registry-facts.js';

export function describeFailure(source: SourceFacts): string {
  const kept =
    source.lastSyncAtMs === undefined ? '' : ` (data from ${rfc3339(source.lastSyncAtMs)} is still being served)`;
  return `${source.name}: ${source.failure?.message}${kept}`;
}

/** Formats a time as RFC 3339 in UTC with whole seconds, as Kubernetes does. */
export function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
