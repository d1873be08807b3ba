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

/** A controller that writes an object as part of what the cluster does with every object of its kind. */
const EXPECTED = /^(kube-controller-manager|kube-scheduler|toolhive-operator.*)$/;

/** Names, for each object of the registry that another manager has written last, that manager. Reads only. */
export function findContenders({ api }: ProvisionWorld): Implementation<'findContenders'> {
  return async ({ namespace, name, uid }) => {
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
    `${kind} ${metadata.name} is changed by ${last.manager} again and again: let that leave it alone, ` +
    'or set what it sets in the MCPRegistry';
  return [{ reason: 'FieldContested', message }];
}
