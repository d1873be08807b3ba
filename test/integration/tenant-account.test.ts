import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { projectRoot } from '#environment/project-root.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { accessByToken } from '#api-server/account-token.js';
import { adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { OPERATOR_ACCOUNT } from '#support/operator-manifest.js';
import { startOperator } from '#support/running-operator.js';
import { sharedApiServer } from '#support/shared-api-server.js';

/**
 * Tests an operator that impersonates a ServiceAccount of the tenant. Its own account may only watch and write status
 * and Events, so everything here is provisioned with the permissions of the tenant's account.
 */

const ACCOUNT = 'registry-provisioner';

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let namespace: string;
let stopOperator: (() => Promise<void>) | undefined;

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: OPERATOR_ACCOUNT.namespace } });
  await api.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: OPERATOR_ACCOUNT });
});

beforeEach(async () => {
  namespace = await createNamespace(api);
  const file = new URL('deploy/helm/mcp-registry-operator/files/watch-rules.yaml', projectRoot);
  const watching = parse(await readFile(file, 'utf8')) as object[];
  await grant('operator', OPERATOR_ACCOUNT, [
    ...watching,
    { apiGroups: [''], resources: ['secrets'], verbs: ['list', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
  ]);
});

afterEach(() => stopOperator?.());
afterAll(() => api.close());

async function grant(name: string, account: object, rules: object[]): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { namespace, name };
  await api.apply({ apiVersion, kind: 'Role', metadata, rules } as KubernetesObject);
  await api.apply({
    apiVersion,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  } as KubernetesObject);
}

async function runOperator(serviceAccountName?: string): Promise<void> {
  const running = await startOperator({
    access: await accessByToken(address, OPERATOR_ACCOUNT),
    namespaces: [namespace],
    temporalAddress: inject('temporalAddress'),
    release: `tenant-${namespace}`,
    ...(serviceAccountName !== undefined && { serviceAccountName }),
  });
  stopOperator = running.stop;
}

/** Applies the objects of the sample, except for those that the test omits or changes. */
async function applySample(
  change: (object: KubernetesObject) => object | undefined = (object) => object,
): Promise<void> {
  const text = await readFile(new URL('deploy/samples/tenant-account.yaml', projectRoot), 'utf8');
  for (const document of parseAllDocuments(text)) {
    const object = change(document.toJS() as KubernetesObject) as KubernetesObject | undefined;
    if (!object) continue;
    const subjects = (object as { subjects?: object[] }).subjects?.map((subject) => ({ namespace, ...subject }));
    const placed = { ...object, metadata: { ...object.metadata, namespace }, ...(subjects && { subjects }) };
    await api.apply(placed, { fieldManager: 'team' });
  }
}

const without = (kind: string, name: string) => (object: KubernetesObject) =>
  object.kind === kind && object.metadata.name === name ? undefined : object;

const withSpec = (change: (spec: object) => object) => (object: KubernetesObject) =>
  object.kind === 'MCPRegistry' ? { ...object, spec: change((object as unknown as { spec: object }).spec) } : object;

const deployed = () => eventually(() => api.get('Deployment', namespace, 'team-api'));

/** Waits until the status message of the registry contains this text, and returns the message. */
function told(text: string): Promise<string> {
  return eventually(async () => {
    const message = (await api.get<RegistryObject>('MCPRegistry', namespace, 'team'))?.status?.message;
    return message?.includes(text) ? message : undefined;
  });
}

it('provisions a registry with the rights that the sample gives the account', async () => {
  await applySample();
  await runOperator();
  await deployed();
  await eventually(() => api.get('Service', namespace, 'team-api'));
  expect(await api.get('Secret', namespace, 'team-temporal')).toBeDefined();
});

it('uses the account of the site for a registry without one', async () => {
  await applySample(withSpec((spec) => ({ ...spec, serviceAccountName: undefined })));
  await runOperator(ACCOUNT);
  expect((await deployed()).metadata.ownerReferences).toMatchObject([{ kind: 'MCPRegistry', name: 'team' }]);
});

it('reports in the status what the account may not do, and continues once it may', async () => {
  await applySample(without('Role', ACCOUNT));
  await runOperator();
  const message = await told(`User "system:serviceaccount:${namespace}:${ACCOUNT}" cannot`);
  expect(message).toContain('configmaps');
  expect(await api.get('ConfigMap', namespace, 'team-registry-server-config')).toBeUndefined();
  await applySample();
  await deployed();
});

it('reports in the status that it may not impersonate the account', async () => {
  await applySample(without('Role', 'toolhive-operator-impersonation'));
  await runOperator();
  expect(await told('cannot impersonate resource "serviceaccounts"')).toContain(ACCOUNT);
});

it('gives a registry no Secret that its account may not read', async () => {
  const passwordSecretRef = { name: 'of-another-team', key: 'password' };
  const git = { repository: 'https://git.example.com/x', auth: { username: 'u', passwordSecretRef } };
  await api.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: passwordSecretRef.name },
    data: { password: 'eA==' },
  } as KubernetesObject);
  await applySample(withSpec((spec) => ({ ...spec, registries: [{ name: 'a', git }] })));
  await runOperator();
  await told(`secrets "${passwordSecretRef.name}" is forbidden`);
  expect(await api.get('Deployment', namespace, 'team-api')).toBeUndefined();
});

it('never impersonates an empty user', () => {
  expect(() => api.actingAs({ namespace, name: '' })).toThrow('needs a namespace and a name');
});
