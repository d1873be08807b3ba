import type { Notice } from '#domain/notice.js';
import type { KindName } from '#kubernetes/kinds.js';
import { controllerOf } from '#kubernetes/kubernetes-object.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Implementation } from '../inputs.js';
import { names } from './desired/naming.js';
import type { ProvisionWorld } from './provision-world.js';

interface ManagedObject extends KubernetesObject {
  readonly metadata: KubernetesObject['metadata'] & { readonly managedFields?: readonly ManagedFields[] };
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly time?: string;
}

const MADE: readonly (readonly [KindName, (name: string) => string])[] = [
  ['ConfigMap', names.config],
  ['ServiceAccount', names.access],
  ['Role', names.access],
  ['RoleBinding', names.access],
  ['Secret', names.temporal],
  ['Secret', names.pgpass],
  ['Deployment', names.server],
  ['Deployment', names.readers],
  ['Service', names.server],
  ['Service', names.writer],
];

/**
 * Managers that are expected to write an object, such as controllers that the cluster runs for every object of a kind.
 */
const EXPECTED = /^(kube-controller-manager|kube-scheduler|toolhive-operator.*)$/;

/**
 * Returns a notice for each object of the registry that another manager wrote, with the one that did so last. Reads
 * only.
 */
export function findContenders({ api, resources }: ProvisionWorld): Implementation<'findContenders'> {
  return async (registry) => {
    const { namespace, name, uid } = registry;
    if (!(await resources.findRegistry(registry))) return [];
    const found = await Promise.all(
      MADE.map(async ([kind, nameOf]) => {
        const object = await api.get<ManagedObject>(kind, namespace, nameOf(name));
        return object && controllerOf(object)?.uid === uid ? contenderOf(kind, object) : [];
      }),
    );
    return found.flat();
  };
}

function contenderOf(kind: KindName, { metadata }: ManagedObject): Notice[] {
  const [last] = (metadata.managedFields ?? [])
    .filter(({ manager = '', subresource }) => subresource === undefined && !EXPECTED.test(manager))
    .toSorted((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1));
  if (!last?.manager) return [];
  const message =
    `${kind} ${metadata.name} is repeatedly changed by ${last.manager}: stop that manager from changing it, ` +
    'or set the same value in the MCPRegistry';
  return [{ reason: 'FieldContested', message }];
}
