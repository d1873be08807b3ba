import type { ServerFacts } from './registry-facts.js';
import type { ApiStatus } from './registry-status.js';
import { rfc3339 } from './wording.js';

/** Returns whether the server is live. Undefined stands for a server that existed already, which counts as live. */
export function isLive(server: ServerFacts | undefined): boolean {
  return server === undefined || (server.provisioned && !server.failure && server.workload?.live === true);
}

/**
 * Describes the pod that is being waited for, and why it is not ready, in the words of the component that reports it.
 */
export function awaitedServer(server: ServerFacts | undefined): string {
  if (!server) return 'Waiting for the registry server to start';
  if (!server.provisioned) return 'Provisioning the registry server';
  const { delayed, workload } = server;
  if (isLive(server) && server.unreachedTemporal !== undefined) return cutOff(server.unreachedTemporal);
  if (isLive(server)) return 'Waiting for the registry server to accept syncs';
  if (delayed && !workload?.trouble) return `Waiting for pod ${delayed.pod}: ${delayed.message}`;
  const awaited = workload?.awaited ? `pod ${workload.awaited}` : 'a pod of the registry server';
  return `Waiting for ${awaited}${workload?.trouble ? `: ${workload.trouble}` : ' to become ready'}`;
}

/**
 * Returns the message for a pod that is ready but accepts no syncs, which usually means that it cannot reach Temporal.
 */
function cutOff(address: string): string {
  return (
    `The registry server is ready but has not connected to Temporal at ${address}: ` +
    'check that NetworkPolicies let its pods reach that address, and the log of a pod'
  );
}

export function toApiStatus(server: ServerFacts, previous: ApiStatus | undefined, nowMs: number): ApiStatus {
  const { failure, provisioned, endpoint, workload } = server;
  const live = isLive(server);
  const before = previous?.readySince;
  const readySince = live && previous?.phase !== 'Ready' ? rfc3339(nowMs) : before;
  const since = readySince === undefined ? {} : { readySince };
  if (failure) return { phase: 'Error', message: failure.message, ...since };
  if (live) return { phase: 'Ready', message: 'The registry server responds', endpoint, ...since };
  const message = awaitedServer(server);
  if (!provisioned && !workload) return { phase: 'NotStarted', message, ...since };
  const broken = provisioned && before !== undefined && workload?.readyReplicas === 0;
  return { phase: broken ? 'Unhealthy' : 'Deploying', message, ...since };
}
