import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Blueprint } from './blueprint.js';
import { digestOf } from './digest.js';
import { deploymentName, head, selectorLabels } from './naming.js';
import type { PodRole } from './naming.js';
import { finishPod } from './pod-template.js';
import type { FinishedPod } from './pod-template.js';
import { toReaderBlueprint } from './readers.js';
import type { PodTemplate } from './pod.js';

export type DesiredDeployment = FinishedPod & { readonly deployment: KubernetesObject };

const ONE_NODE_ONLY = ['ReadWriteOnce', 'ReadWriteOncePod'];

/**
 * Returns the Deployment of the server. It never sets `replicas`: the default is one, and changes are left to the user
 * or an autoscaler.
 */
export function toDeployment(blueprint: Blueprint): DesiredDeployment {
  return deploymentOf(blueprint, 'server');
}

/** Returns the Deployment of the read-only servers, with the number of replicas that the spec sets. */
export function toReaders(blueprint: Blueprint): DesiredDeployment {
  return deploymentOf(toReaderBlueprint(blueprint), 'reader');
}

function deploymentOf(blueprint: Blueprint, role: PodRole): DesiredDeployment {
  const { registry, spec } = blueprint;
  const pod = finishPod(blueprint, role);
  const annotations = spec.podTemplateSpec && {
    'toolhive.stacklok.io/podtemplatespec-hash': digestOf(spec.podTemplateSpec),
  };
  const deployment = {
    ...head('Deployment', registry, deploymentName(registry.name, role), annotations),
    spec: {
      ...(role === 'reader' && { replicas: spec.readers }),
      selector: { matchLabels: selectorLabels(registry.name, role) },
      strategy: strategyFor(pod.template, blueprint),
      template: pod.template,
    },
  };
  return { ...pod, deployment: deployment as object as KubernetesObject };
}

/**
 * Returns the update strategy. If a volume can be mounted on one node only, the new pod could not start while the old
 * pod has it.
 */
function strategyFor({ spec }: PodTemplate, { claims }: Blueprint): object {
  const exclusive = spec.volumes.some((volume) => {
    const modes = claims[claimOf(volume) ?? ''] ?? [];
    return modes.length > 0 && modes.every((mode) => ONE_NODE_ONLY.includes(mode));
  });
  if (exclusive) return { type: 'Recreate' };
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
}

/** Returns the name of the claim that a volume mounts, if any. */
export function claimOf(volume: Readonly<Record<string, unknown>>): string | undefined {
  return (volume['persistentVolumeClaim'] as { claimName?: string } | undefined)?.claimName;
}
