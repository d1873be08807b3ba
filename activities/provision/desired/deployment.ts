import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Blueprint } from './blueprint.js';
import { digestOf } from './digest.js';
import { head, names, selectorLabels } from './naming.js';
import { finishPod } from './pod-template.js';
import type { FinishedPod } from './pod-template.js';
import type { PodTemplate } from './pod.js';

const ONE_NODE_ONLY = ['ReadWriteOnce', 'ReadWriteOncePod'];

/** Returns the Deployment of the server. It never names a number of replicas: that starts as one, and belongs to the user or autoscaler. */
export function toDeployment(blueprint: Blueprint): FinishedPod & { readonly deployment: KubernetesObject } {
  const { registry, spec } = blueprint;
  const pod = finishPod(blueprint);
  const annotations = spec.podTemplateSpec && {
    'toolhive.stacklok.io/podtemplatespec-hash': digestOf(spec.podTemplateSpec),
  };
  const deployment = {
    ...head('Deployment', registry, names.server(registry.name), annotations),
    spec: {
      selector: { matchLabels: selectorLabels(registry.name) },
      strategy: strategyFor(pod.template, blueprint),
      template: pod.template,
    },
  };
  return { ...pod, deployment: deployment as object as KubernetesObject };
}

/** A volume that one node alone can have would keep the new pod from starting as long as the old one has it. */
function strategyFor({ spec }: PodTemplate, { claims }: Blueprint): object {
  const exclusive = spec.volumes.some((volume) => {
    const modes = claims[claimOf(volume) ?? ''] ?? [];
    return modes.length > 0 && modes.every((mode) => ONE_NODE_ONLY.includes(mode));
  });
  if (exclusive) return { type: 'Recreate' };
  return { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
}

/** The claim that a volume mounts, if it does. */
export function claimOf(volume: Readonly<Record<string, unknown>>): string | undefined {
  return (volume['persistentVolumeClaim'] as { claimName?: string } | undefined)?.claimName;
}
