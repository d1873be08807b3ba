import { readFile } from 'node:fs/promises';
import { parse, parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

const MANIFEST = new URL('../../deploy/manifests/operator.yaml', import.meta.url);

/** The account of the operator in the manifests. */
export const OPERATOR_ACCOUNT = { namespace: 'toolhive-system', name: 'toolhive-operator' };
export const OPERATOR_USER = `system:serviceaccount:${OPERATOR_ACCOUNT.namespace}:${OPERATOR_ACCOUNT.name}`;
/** The permissions that the operator grants itself in the namespaces of registries. */
export const OPERATOR_ACCESS = { clusterRole: 'toolhive-operator-namespace', serviceAccount: OPERATOR_ACCOUNT };

const RULES = ['watch-rules.yaml', 'namespace-rules.yaml'].map(
  (file) => new URL(`../../deploy/helm/mcp-registry-operator/files/${file}`, import.meta.url),
);

/** Reads the rules of the Roles that the chart creates in each namespace with `rbac.scope: namespace`. */
export async function namespaceScopeRules(): Promise<object[]> {
  const files = await Promise.all(RULES.map((file) => readFile(file, 'utf8')));
  return files.flatMap((file) => parse(file) as object[]);
}

/** Reads the objects of the given kinds from the manifests that a user applies. */
export async function operatorObjects<T extends KubernetesObject>(...kinds: readonly string[]): Promise<T[]> {
  const documents = parseAllDocuments(await readFile(MANIFEST, 'utf8'));
  const objects = documents.map((document) => document.toJS() as T | null);
  return objects.filter((object) => object !== null).filter(({ kind }) => kinds.includes(kind));
}
