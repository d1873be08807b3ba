import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toRole } from '#activities/provision/desired/access.js';
import type { PolicyRule } from '#activities/provision/desired/access.js';
import { blueprint } from '#activities/provision/testing/blueprint.js';
import { withDiscovery } from '#activities/provision/with-discovery.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { allowed } from '#support/allowed.js';
import { accessAs, adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { ProvisionedRegistry } from '#support/provisioned-registry.js';
import { sharedApiServer } from '#support/shared-api-server.js';

const OPERATOR = 'system:serviceaccount:toolhive-system:toolhive-operator';

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let role: KubernetesObject & { readonly rules: readonly PolicyRule[] };

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  role = parse(await readFile(new URL('../../deploy/manifests/operator-role.yaml', import.meta.url), 'utf8'));
  await api.apply(role);
});

afterAll(() => api.close());

/** Each thing that a rule allows, alone. */
function grants({ apiGroups, resources, verbs }: PolicyRule): string[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource} of "${group}"`)),
  );
}

describe("the operator's ClusterRole", () => {
  it('covers all that the Role of a registry grants', () => {
    const registries = [{ name: 'x', configMapRef: { name: 'y', key: 'z' } }];
    const { spec, ...rest } = blueprint({ registries });
    const granted = toRole({ ...rest, spec: withDiscovery(spec, {}) }).rules.flatMap(grants);
    expect(granted).toContain('watch mcpservers of "toolhive.stacklok.dev"');
    expect(granted.length).toBeGreaterThan(0);
    expect(role.rules.flatMap(grants)).toEqual(expect.arrayContaining(granted));
  });

  it('asks for nothing that a wildcard stands for', () => {
    expect(role.rules.flatMap(grants).filter((grant) => grant.includes('*'))).toEqual([]);
  });

  it('is enough to provision a registry, in its namespace alone', async () => {
    const namespace = await createNamespace(api);
    const operator = new HttpKubernetesApi(accessAs(address, OPERATOR));
    const registry = await ProvisionedRegistry.create(
      api,
      namespace,
      {
        registries: [{ name: 'x', pvcRef: { claimName: 'y' } }],
        podTemplateSpec: { spec: { nodeSelector: { a: 'b' } } },
      },
      operator,
    );
    await expect(registry.desired()).rejects.toThrow('forbidden');
    await api.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace, name: 'operator' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role.metadata.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: OPERATOR }],
    } as KubernetesObject);
    await allowed(() => operator.get('MCPRegistry', namespace, 'tools'));
    await registry.desired();
    await registry.provision();
    expect(Object.keys(await registry.versions())).toContain('Service/tools-api');
    await operator.close();
  });
});
