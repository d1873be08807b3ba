import { isWarning } from '../notice.js';
import { AWAITED } from '../reasons.js';
import { awaitedServer, isLive } from './api-status.js';
import { hasSynced, noticesOf, sum, reportedSources } from './registry-facts.js';
import type { RegistryFacts, SourceFacts } from './registry-facts.js';
import type { RegistryPhase } from './registry-status.js';
import { describeFailure } from './wording.js';

export function toPhase(facts: RegistryFacts): { phase: RegistryPhase; message: string } {
  if (facts.deleting) return { phase: 'Terminating', message: 'The registry is being deleted' };
  if (facts.invalid !== undefined) return { phase: 'Failed', message: facts.invalid };
  // After a manual trigger, the phase shows that the source is syncing instead of its earlier failure.
  const failing = facts.sources.filter(({ failure, running }) => failure && !running?.manual);
  const failed = failing.filter(({ failure }) => failure && !AWAITED.includes(failure.reason));
  if (failed.length > 0) return { phase: 'Failed', message: failed.map(describeFailure).join('; ') };
  if (facts.server?.failure) return { phase: 'Failed', message: facts.server.failure.message };
  if (failing.length > 0) return { phase: 'Pending', message: failing.map(describeFailure).join('; ') };
  if (!facts.serving) return { phase: 'Pending', message: awaitedServer(facts.server) };
  const running = facts.sources.filter((source) => source.running && (source.running.manual || !hasSynced(source)));
  if (running.length > 0) return { phase: 'Syncing', message: `Syncing ${names(running)}` };
  const unsynced = facts.sources.filter((source) => !hasSynced(source));
  if (unsynced.length > 0) return { phase: 'Pending', message: `Waiting for the first sync of ${names(unsynced)}` };
  if (!isLive(facts.server)) return { phase: 'Pending', message: `Synced; ${lowerFirst(awaitedServer(facts.server))}` };
  return { phase: 'Ready', message: readyMessage(facts) };
}

function readyMessage(facts: RegistryFacts): string {
  const sources = reportedSources(facts.sources);
  const servers = sum(sources, ({ serverCount }) => serverCount);
  const quarantined = sum(sources, (source) => source.quarantined);
  return [
    `Serving ${servers} ${servers === 1 ? 'server' : 'servers'} from ${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`,
    ...(quarantined > 0 ? [`${quarantined} in quarantine`] : []),
    ...noticesOf(facts).flatMap((notice) => (isWarning(notice) ? [notice.message] : [])),
  ].join('; ');
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function names(sources: readonly SourceFacts[]): string {
  return sources.map(({ name }) => name).join(', ');
}
