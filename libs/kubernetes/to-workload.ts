import type { ReaderFacts, WorkloadFacts } from '#domain/workload.js';
import type { KubernetesObject } from './kubernetes-object.js';

/** Annotation of a pod template and its pods: a digest of the desired state from which they were created. */
export const POD_HASH_ANNOTATION = 'toolhive.stacklok.dev/config-hash';

/** The part of a Deployment that describes the state of its pods. */
export interface Deployment extends KubernetesObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly template?: { readonly metadata?: { readonly annotations?: Record<string, string> } };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly conditions?: readonly ObjectCondition[];
  };
}

/** The part of a pod that explains why it is not ready. */
export interface Pod extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly ObjectCondition[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

interface ObjectCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface ContainerStatus {
  readonly name: string;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: {
    readonly terminated?: { readonly reason?: string; readonly exitCode: number; readonly message?: string };
  };
}

/** Waiting reasons that every container goes through when it starts. */
const ON_ITS_WAY = ['ContainerCreating', 'PodInitializing'];

/** Summarizes the state of a server from its Deployment and pods. Pods created from other templates are ignored. */
export function toWorkload(deployment: Deployment | undefined, pods: readonly Pod[] = []): WorkloadFacts {
  if (!deployment) return { readyReplicas: 0, live: false };
  const podHash = deployment.spec?.template?.metadata?.annotations?.[POD_HASH_ANNOTATION];
  const readyReplicas = deployment.status?.readyReplicas ?? 0;
  const wantedReplicas = deployment.spec?.replicas;
  const known = {
    ...(podHash !== undefined && { podHash }),
    ...(wantedReplicas !== undefined && { wantedReplicas }),
    readyReplicas,
  };
  if (isLive(deployment)) return { ...known, live: true };
  const awaited = pods
    .filter(({ metadata }) => metadata.annotations?.[POD_HASH_ANNOTATION] === podHash && !metadata.deletionTimestamp)
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const troubled = awaited.find((pod) => podTrouble(pod) !== undefined) ?? awaited[0];
  const trouble = (troubled && podTrouble(troubled)) ?? deploymentTrouble(deployment);
  return {
    ...known,
    live: false,
    ...(troubled && { awaited: troubled.metadata.name }),
    ...(trouble !== undefined && { trouble }),
  };
}

/** Summarizes the state of the read-only servers. */
export function toReaderFacts({ spec, status = {} }: Deployment): ReaderFacts {
  const { replicas = 0, readyReplicas = 0 } = status;
  const labels = Object.entries(spec?.selector?.matchLabels ?? {}).toSorted();
  return { replicas, readyReplicas, selector: labels.map(([label, value]) => `${label}=${value}`).join(',') };
}

/**
 * Returns whether a pod of the current template is ready. The status does not count ready pods per template, but if
 * there are more ready pods than old pods, a new one must be ready.
 */
function isLive({ metadata, status = {} }: Deployment): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, readyReplicas = 0 } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas > 0 &&
    readyReplicas > replicas - updatedReplicas
  );
}

function podTrouble({ status = {} }: Pod): string | undefined {
  const unscheduled = status.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled) return describe(unscheduled);
  for (const container of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]) {
    const waiting = container.state?.waiting;
    if (!waiting?.reason || ON_ITS_WAY.includes(waiting.reason)) continue;
    return `container ${container.name}: ${describe(waiting)}${lastWords(container)}`;
  }
  return undefined;
}

/** Describes the last termination of a container that restarts repeatedly. */
function lastWords({ lastState }: ContainerStatus): string {
  const ended = lastState?.terminated;
  if (!ended) return '';
  const message = ended.message?.trim();
  return `; it last ended with exit code ${ended.exitCode} (${ended.reason ?? 'unknown'})${message ? `: ${message}` : ''}`;
}

/** Describes what prevents the controller from creating pods, such as a resource quota or an admission policy. */
function deploymentTrouble({ status = {} }: Deployment): string | undefined {
  const conditions = status.conditions ?? [];
  const failing =
    conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True') ??
    conditions.find(({ type, status: is }) => type === 'Progressing' && is === 'False');
  return failing && describe(failing);
}

function describe({ reason, message }: { readonly reason?: string; readonly message?: string }): string {
  return [reason, message].filter(Boolean).join(': ');
}
