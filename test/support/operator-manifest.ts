import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

const MANIFEST = new URL('../../deploy/manifests/operator.yaml', import.meta.url);

/** The account that the operator of the manifests runs as. */
export const OPERATOR_ACCOUNT = { namespace: 'toolhive-system', name: 'toolhive-operator' };
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_ACCOUNT.namespace}:${OPERATOR_ACCOUNT.name}`;
/** What it grants itself in the namespaces of registries. */
export const OPERATOR_ACCESS = { clusterRole: 'toolhive-operator-namespace', serviceAccount: OPERATOR_ACCOUNT };

/** Reads the objects of the given kinds from the manifests that a user applies. */
export async function operatorObjects<T extends KubernetesObject>(...kinds: readonly string[]): Promise<T[]> {
  const documents = parseAllDocuments(await readFile(MANIFEST, 'utf8'));
  const objects = documents.map((document) => document.toJS() as T | null);
  return objects.filter((object) => object !== null).filter(({ kind }) => kinds.includes(kind));
}
