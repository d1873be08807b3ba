import type { RegistryFacts } from '#domain/status/registry-facts.js';
import { describeChanges } from '#domain/describe-changes.js';
import { formatDuration } from '#domain/go-duration.js';
import type { EntryCounts, SyncOutcome } from '#domain/sync.js';

/** Describes an outcome in Markdown for Temporal's UI, which shows it without opening a payload. */

export function describeOutcome(outcome: SyncOutcome): string {
  const took = formatDuration(outcome.finishedAt - outcome.startedAt);
  const at = outcome.revision === undefined ? '' : ` at revision \`${outcome.revision}\``;
  if (outcome.failure) return `**Failed**${at} after ${took}: ${outcome.failure.reason}: ${outcome.failure.message}`;
  if (!outcome.counts) return `**Unchanged**${at}, checked in ${took}`;
  const warning = outcome.notice === undefined ? '' : `\n\nWarning: ${outcome.notice.message}`;
  return `**Published**${at} in ${took}: ${describeCounts(outcome.counts)}${warning}`;
}

function describeCounts(counts: EntryCounts): string {
  const changes = describeChanges(counts);
  return changes ? `${counts.served} served, ${changes}` : `${counts.served} served`;
}

export function describeRegistry(facts: RegistryFacts): string {
  const time = (ms: number | undefined) => (ms === undefined ? '–' : new Date(ms).toISOString());
  const rows = facts.sources.map((source) => {
    const state = source.running ? 'syncing' : (source.failure?.reason ?? (source.lastSyncAtMs ? 'synced' : 'waiting'));
    const cells = [
      source.name,
      state,
      source.serverCount ?? '–',
      source.revision ?? '–',
      time(source.lastSyncAtMs),
      time(source.nextSyncAtMs),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    ...(facts.invalid === undefined ? [] : [`**The spec is invalid:** ${facts.invalid}`, '']),
    ...(facts.server?.failure ? [`**Provisioning failed:** ${facts.server.failure.message}`, ''] : []),
    ...(facts.server?.workload?.trouble ? [`**The server's pods:** ${facts.server.workload.trouble}`, ''] : []),
    ...(facts.serving ? [] : ['Waiting for a registry server to start.', '']),
    '| source | state | servers | revision | last sync | next sync |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
