import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { projectRoot } from '#environment/project-root.js';
import { accessAs, adminAccess } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { BEYOND_CONFINED, deploymentOf } from '#support/pods-beyond-confined.js';
import { ProvisionedRegistry, settings } from '#support/provisioned-registry.js';
import { sharedApiServer } from '#support/shared-api-server.js';

/**
 * Tests the restrictions that the policies in the manifests impose on a pod of any owner if `registries.podTemplate` is
 * `restricted` or `deny`.
 */

const DATABASE = {
  host: 'db',
  database: 'registry',
  user: 'app',
  migrationUser: 'migrator',
  dbAppUserPasswordSecretRef: { name: 'db', key: 'app' },
  dbMigrationUserPasswordSecretRef: { name: 'db', key: 'migration' },
};
const SIDECAR = { name: 'agent', image: 'example/agent', command: ['agent'] };

describe.each(['restricted', 'deny'] as const)('the policy %s', (policy) => {
  const user = `system:serviceaccount:toolhive-system:${policy}-operator`;
  let api: HttpKubernetesApi;
  let operator: HttpKubernetesApi;
  let namespace: string;
  let image: string;

  beforeAll(async () => {
    const address = await sharedApiServer();
    api = new HttpKubernetesApi(adminAccess(address));
    operator = new HttpKubernetesApi(accessAs(address, user));
    const text = await readFile(new URL(`deploy/manifests/pod-template-${policy}.yaml`, projectRoot), 'utf8');
    for (const document of parseAllDocuments(text.replaceAll('toolhive-operator', `${policy}-operator`)))
      await api.apply(document.toJS() as KubernetesObject);
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const metadata = { name: `${policy}-operator` };
    const rules = [
      { apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'] },
    ];
    await api.apply({ apiVersion, kind: 'ClusterRole', metadata, rules } as KubernetesObject);
    await api.apply({
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace: 'toolhive-system', name: `${policy}-operator` }],
    } as KubernetesObject);
    namespace = await createNamespace(api);
    const manifest = await readFile(new URL('deploy/manifests/operator.yaml', projectRoot), 'utf8');
    image = /name: TOOLHIVE_REGISTRY_API_IMAGE\n +value: "([^"]+)"/.exec(manifest)![1]!;
    await eventually(async () => (await refusal({ hostPID: true }))?.includes('denied'));
  });

  afterAll(() => Promise.all([api.close(), operator.close()]));

  /** Returns why a Deployment is refused. Its owner does not exist, and there is no MCPRegistry in its namespace. */
  function refusal(fields: object, container: object = {}, annotations: object = {}): Promise<string | undefined> {
    const ghost = { namespace, name: 'ghost', uid: '0b6f6c2e-0000-4000-8000-000000000000' };
    return operator.dryRunApply(deploymentOf(ghost, fields, { image, ...container }, annotations)).then(
      () => undefined,
      (error: Error) => error.message,
    );
  }

  it('admits a registry with everything that the operator allows in its podTemplateSpec', async () => {
    await api.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace, name: 'db' },
      data: { app: 'eA==', migration: 'eA==' },
    } as KubernetesObject);
    const podTemplateSpec = {
      metadata: { annotations: { a: 'b' } },
      spec: {
        nodeSelector: { a: 'b' },
        securityContext: { runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
        volumes: [{ name: 'theirs', configMap: { name: 'theirs' } }],
        initContainers: [{ ...SIDECAR, name: 'before' }],
        containers: [{ name: 'registry-api', resources: { limits: { memory: '1Gi' } } }, SIDECAR],
      },
    };
    const spec = { databaseConfig: DATABASE, ...(policy === 'restricted' && { podTemplateSpec }) };
    const site = { settings: { ...settings, image, podTemplatePolicy: policy } };
    const registry = await ProvisionedRegistry.create(api, namespace, spec, operator, site);
    await registry.provision();
    expect(await registry.find('Deployment', 'tools-api')).toBeDefined();
  });

  it.each(BEYOND_CONFINED)('rejects $pod', async ({ fields = {}, container = {}, annotations = {}, message }) => {
    expect(await refusal({})).toBeUndefined();
    expect(await refusal(fields, container, annotations)).toContain(message);
  });

  it.each<[string, object, object]>([
    ['root', {}, { runAsUser: 0 }],
    ['any user', {}, { runAsNonRoot: false }],
    ['more privileges later', {}, { allowPrivilegeEscalation: true }],
    ['all capabilities', {}, { capabilities: {} }],
    ['root by the pod', { securityContext: { runAsUser: 0 } }, {}],
  ])('rejects a container with %s', async (_, fields, context) => {
    const confined = { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    expect(await refusal(fields, { securityContext: { ...confined, ...context } })).toContain('without privileges');
  });

  it('rejects a foreign volume', async () => {
    const volumes = [{ name: 'v', nfs: { server: 'files.example', path: '/' } }];
    expect(await refusal({ volumes })).toContain('volumes must contain only objects of the namespace');
  });

  it.runIf(policy === 'deny').each<[string, object]>([
    ['another image', { image: 'example/other' }],
    ['another container', { name: 'agent' }],
    ['another command', { command: ['sh'] }],
  ])('rejects %s', async (_, container) => {
    expect(await refusal({}, container)).toContain('the registry server only');
  });
});
