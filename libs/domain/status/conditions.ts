import { AWAITED } from '../reasons.js';
import type { Reason } from '../reasons.js';
import { awaitedServer, isLive } from './api-status.js';
import { hasSynced } from './registry-facts.js';
import type { RegistryFacts, ServerFacts, SourceFacts } from './registry-facts.js';
import type { Condition } from './registry-status.js';
import { describeFailure } from './wording.js';

const INVALID_DATA: readonly Reason[] = ['InvalidData', 'FormatMismatch'];
const UNAVAILABLE: readonly Reason[] = [
  ...AWAITED,
  'Unreachable',
  'AuthFailed',
  'RepositoryNotFound',
  'RefNotFound',
  'FileNotFound',
  'FetchFailed',
  'KubernetesRefused',
  'KubernetesUnreachable',
];

type Verdict = Omit<Condition, 'observedGeneration' | 'lastTransitionTime'>;

export function toConditions(facts: RegistryFacts, message: string): Verdict[] {
  const failing = (reasons: (reason: Reason) => boolean) =>
    facts.sources.filter(({ failure }) => failure && reasons(failure.reason));
  const unavailable = failing((reason) => UNAVAILABLE.includes(reason));
  const invalid = failing((reason) => INVALID_DATA.includes(reason));
  const unsuccessful = failing(() => true);
  const quarantined = facts.sources.filter((source) => (source.quarantined ?? 0) > 0);
  const allSynced = facts.sources.every(hasSynced);
  const known = facts.sources.every((source) => hasSynced(source) || source.failure);

  const verdict = (
    type: Condition['type'],
    bad: readonly SourceFacts[],
    good: Pick<Condition, 'reason' | 'message'>,
  ): Verdict => {
    const first = bad[0]?.failure;
    if (first) return { type, status: 'False', reason: first.reason, message: bad.map(describeFailure).join('; ') };
    if (!known) return { type, status: 'Unknown', reason: 'Pending', message: 'No sync has finished yet' };
    return { type, status: 'True', ...good };
  };

  const ready = facts.serving && allSynced && facts.invalid === undefined && !facts.deleting && isLive(facts.server);
  const notReady = facts.invalid === undefined ? (facts.server?.failure?.reason ?? 'NotReady') : 'ValidationFailed';
  return [
    { type: 'Ready', status: ready ? 'True' : 'False', reason: ready ? 'Ready' : notReady, message },
    ...(facts.server ? serverConditions(facts.server) : []),
    verdict('SourceAvailable', unavailable, { reason: 'Available', message: 'Every source responds' }),
    verdict(
      'DataValid',
      invalid,
      quarantined.length > 0
        ? { reason: 'PartiallyValid', message: `Entries in quarantine: ${describeQuarantine(quarantined)}` }
        : { reason: 'Valid', message: 'Every entry is valid' },
    ),
    verdict('SyncSuccessful', unsuccessful, {
      reason: 'SyncComplete',
      message: 'The last sync of every source succeeded',
    }),
  ];
}

/** Returns the conditions of the server. PodTemplateValid is included only for registries with a template. */
function serverConditions(server: ServerFacts): Verdict[] {
  const { failure, delayed, workload } = server;
  const api: Verdict = isLive(server)
    ? { type: 'APIReady', status: 'True', reason: 'APIReady', message: 'The registry server responds' }
    : {
        type: 'APIReady',
        status: 'False',
        reason: failure?.reason ?? (workload?.trouble ? undefined : delayed?.reason) ?? 'APINotReady',
        message: failure?.message ?? awaitedServer(server),
      };
  if (!server.podTemplate) return [api];
  const type = 'PodTemplateValid';
  if (failure?.reason === 'InvalidPodTemplateSpec') {
    return [api, { type, status: 'False', reason: failure.reason, message: failure.message }];
  }
  if (!server.provisioned) {
    return [api, { type, status: 'Unknown', reason: 'Pending', message: 'The pod template has not been tried yet' }];
  }
  const message =
    server.warnings.map((warning) => warning.message).join('; ') || 'The pod template is part of the Deployment';
  return [api, { type, status: 'True', reason: 'ValidPodTemplateSpec', message }];
}

/** Describes the quarantine as `servers (a, b and 3 more)`. */
function describeQuarantine(sources: readonly SourceFacts[]): string {
  return sources
    .map(({ name, quarantined = 0, quarantinedEntries: named = [] }) => {
      const more = quarantined - named.length;
      if (named.length === 0) return `${name} (${quarantined})`;
      return `${name} (${named.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
    })
    .join(', ');
}
