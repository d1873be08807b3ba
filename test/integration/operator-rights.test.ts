import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toRole } from '#activities/provision/desired/access.js';
import type { Role } from '#activities/provision/desired/access.js';
import type { PolicyRule } from '#domain/policy-rule.js';
import { head, OPERATOR_BINDING_LABEL, REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import { leaveNamespace } from '#activities/provision/leave-namespace.js';
import { blueprint } from '#activities/provision/testing/blueprint.js';
import { withDiscovery } from '#activities/provision/with-discovery.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import type { KindName } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { allowed } from '#support/allowed.js';
import { accessAs, adminAccess } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import {
  namespaceScopeRules,
  OPERATOR_ACCESS,
  OPERATOR_ACCOUNT,
  OPERATOR_USER,
  operatorObjects,
} from '#support/operator-manifest.js';
import { BEYOND_CONFINED, deploymentOf } from '#support/pods-beyond-confined.js';
import { ProvisionedRegistry, settings } from '#support/provisioned-registry.js';
import { sharedApiServer } from '#support/shared-api-server.js';

let api: HttpKubernetesApi;
let transport: HttpTransport;
let operator: HttpKubernetesApi;

beforeAll(async () => {
  const address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  transport = new HttpTransport(adminAccess(address));
  operator = new HttpKubernetesApi(accessAs(address, OPERATOR_USER));
  const rights = await operatorObjects(
    'ClusterRole',
    'ClusterRoleBinding',
    'ValidatingAdmissionPolicy',
    'ValidatingAdmissionPolicyBinding',
  );
  for (const object of rights) await api.apply(object);
  await allowed(() => operator.get('MCPRegistry', 'default', 'none'));
  // The API server applies a policy only some moments after it has stored it.
  await eventually(async () => (await refusal(operator, withLabel('default', { other: 'x' })))?.includes('denied'));
});

afterAll(async () => {
  await Promise.all([api.close(), transport.close(), operator.close()]);
});

const site = { settings: { ...settings, networkPolicy: { clients: [], metrics: [] } }, access: OPERATOR_ACCESS };

const create = (namespace: string, spec: object) => ProvisionedRegistry.create(api, namespace, spec, operator, site);

/** Returns the message with which the API server refuses an object; undefined if it would accept the object. */
async function refusal(as: HttpKubernetesApi, object: KubernetesObject): Promise<string | undefined> {
  return as.dryRunApply(object).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

const withLabel = (name: string, labels: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});

/** Splits a rule into its individual permissions. */
function grants({ apiGroups, resources, verbs }: PolicyRule): string[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource} of "${group}"`)),
  );
}

describe("the operator's roles", () => {
  it('include everything that the Role of a registry grants', async () => {
    const registries = [{ name: 'x', configMapRef: { name: 'y', key: 'z' } }];
    const { spec, ...rest } = blueprint({ registries });
    const granted = toRole({ ...rest, spec: withDiscovery(spec, {}) }).rules.flatMap(grants);
    expect(granted).toContain('watch mcpservers of "toolhive.stacklok.dev"');
    const held = (await operatorObjects<Role>('ClusterRole')).flatMap(({ rules }) => rules.flatMap(grants));
    expect(held).toEqual(expect.arrayContaining(granted));
    expect(held.filter((grant) => grant.includes('*'))).toEqual([]);
  });

  it('are sufficient to provision a registry, with rights only in the namespaces of registries', async () => {
    const namespace = await createNamespace(api);
    await expect(operator.get('Secret', namespace, 'x')).rejects.toThrow('forbidden');
    const registry = await create(namespace, {
      registries: [{ name: 'x', pvcRef: { claimName: 'y' } }],
      podTemplateSpec: { spec: { nodeSelector: { a: 'b' } } },
    });
    await registry.desired();
    await registry.provision();
    const versions = await registry.versions();
    expect(Object.keys(versions)).toContain('Service/tools-api');
    await registry.desired();
    await registry.provision();
    expect(await registry.versions()).toEqual(versions);
    const labelled = await api.get('Namespace', '', namespace);
    expect(labelled?.metadata.labels).toMatchObject({ 'toolhive.stacklok.dev/registries': 'true' });
    await expect(operator.get('Secret', await createNamespace(api), 'x')).rejects.toThrow('forbidden');
  });

  it('are sufficient to remove the label from the namespace with the last registry, but not earlier', async () => {
    const namespace = await createNamespace(api);
    await api.apply(withLabel(namespace, { team: 'a' }), { fieldManager: 'them' });
    const registry = await create(namespace, {});
    await registry.desired();
    const world = { api: operator, access: OPERATOR_ACCESS };
    const labels = async () => Object.keys((await api.get('Namespace', '', namespace))?.metadata.labels ?? {});
    const all = await labels();
    expect(all).toContain('toolhive.stacklok.dev/registries');
    await leaveNamespace(world, { ...registry.ref, uid: 'of-a-registry-that-goes' });
    expect(await labels()).toEqual(all);
    for (let times = 0; times < 2; times++) await leaveNamespace(world, registry.ref);
    expect(await labels()).toEqual(all.filter((label) => label !== 'toolhive.stacklok.dev/registries'));
  });

  describe('after a registry', () => {
    let registry: ProvisionedRegistry;
    beforeEach(async () => {
      registry = await create(await createNamespace(api), {});
      await registry.desired();
    });
    const leave = (ref: RegistryRef) => leaveNamespace({ api: operator, access: OPERATOR_ACCESS }, ref);
    const binding = () => registry.find('RoleBinding', 'tools-operator');
    const readsSecrets = () => mayDo(['get', '', 'secrets'], registry.ref.namespace);
    const editBinding = (metadata: object) => editOperatorBinding(registry.ref.namespace, metadata);

    it.each<[string, object]>([
      ['its owner', {}],
      ['no owner, as with --cascade=orphan', { ownerReferences: null }],
    ])('are given back with a binding that has %s', async (_, metadata) => {
      expect(await readsSecrets()).toBe(true);
      await editBinding(metadata);
      await leave(registry.ref);
      expect(await binding()).toBeUndefined();
      await eventually(async () => !(await readsSecrets()));
    });

    it('are given back even if another registry remains, which has its own', async () => {
      await createNeighbour(registry.ref.namespace);
      await leave(registry.ref);
      expect(await binding()).toBeUndefined();
    });

    it('are kept with a registry of the same name that replaced it', async () => {
      await leave({ ...registry.ref, uid: 'of-the-one-before' });
      expect(await binding()).toBeDefined();
    });

    it('do not block the deletion of the registry if its binding may not be deleted', async () => {
      await editBinding({ labels: { [REGISTRY_LABEL]: 'other' } });
      await leave(registry.ref);
      expect(await binding()).toBeDefined();
    });

    it('do not affect a binding of that name without their label', async () => {
      await editBinding({ ownerReferences: null, labels: { [OPERATOR_BINDING_LABEL]: null } });
      await leave(registry.ref);
      const { namespace } = registry.ref;
      await expect(operator.delete('RoleBinding', { namespace, name: 'tools-operator' })).rejects.toThrow('forbidden');
      expect(await binding()).toBeDefined();
    });
  });

  it('are sufficient for the requests of a podTemplateSpec', async () => {
    const registry = await create(await createNamespace(api), {
      podTemplateSpec: {
        spec: {
          serviceAccountName: 'theirs',
          hostNetwork: true,
          volumes: [{ name: 'node', hostPath: { path: '/var/log' } }],
          containers: [{ name: 'agent', image: 'x', securityContext: { privileged: true } }],
        },
      },
    });
    await registry.desired();
    await registry.provision();
    expect(await registry.find('Deployment', 'tools-api')).toBeDefined();
  });
});

describe('requests of a podTemplateSpec beyond a confined pod', () => {
  const asks = (serviceAccountName: string) => ({ podTemplateSpec: { spec: { serviceAccountName } } });

  it('are only for a registry that is the only one in its namespace, because no policy can tell which one requests them', async () => {
    const namespace = await createNamespace(api);
    const registry = await create(namespace, asks('theirs'));
    await registry.desired();
    await registry.provision();
    await createNeighbour(namespace);
    const message = 'another account is allowed only if the operator may impersonate it';
    await eventually(async () => (await failure(registry.provision()))?.includes(message));
    await grantImpersonation(namespace, 'theirs');
    await eventually(async () => (await failure(registry.provision())) === undefined);
  });
});

async function createNeighbour(namespace: string): Promise<void> {
  const neighbour = {
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { namespace, name: 'neighbour' },
    spec: { auth: { mode: 'anonymous' } },
  };
  await api.apply(neighbour as KubernetesObject, { fieldManager: 'them' });
}

/** Edits the operator's binding like an administrator or the garbage collector. Null removes a field. */
async function editOperatorBinding(namespace: string, metadata: object): Promise<void> {
  await transport.call({
    method: 'PATCH',
    path: `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings/tools-operator`,
    body: { contentType: 'application/merge-patch+json', value: { metadata } },
    attempt: 'edit the binding',
  });
}

async function failure(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: Error) => error.message,
  );
}

/** Lets the operator impersonate an account. A team grants this if its pods are to run as that account. */
async function grantImpersonation(namespace: string, account: string): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const metadata = { namespace, name: 'operator-acts-as' };
  const rules = [{ apiGroups: [''], resources: ['serviceaccounts'], resourceNames: [account], verbs: ['impersonate'] }];
  await api.apply({ apiVersion, kind: 'Role', metadata, rules } as KubernetesObject);
  await api.apply({
    apiVersion,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    subjects: [{ kind: 'ServiceAccount', ...OPERATOR_ACCOUNT }],
  } as KubernetesObject);
}

type Right = readonly [verb: string, group: string, resource: string, name?: string];

/** Permissions with which a holder of the operator's token could gain more permissions than the operator has. */
const ESCALATIONS: readonly Right[] = [
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'].map((verb): Right => [verb, '', 'secrets']),
  ['create', '', 'serviceaccounts/token'],
  ['create', '', 'serviceaccounts'],
  ['patch', '', 'serviceaccounts'],
  ['patch', '', 'configmaps'],
  ...['pods', 'pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy', 'nodes/proxy'].flatMap(
    (resource): Right[] => [
      ['create', '', resource],
      ['patch', '', resource],
    ],
  ),
  ['get', '', 'nodes/proxy'],
  ['get', '', 'pods/exec'],
  ['patch', '', 'pods/ephemeralcontainers'],
  ...['users', 'groups', 'serviceaccounts', 'userextras'].map((resource): Right => ['impersonate', '', resource]),
  ...['roles', 'clusterroles'].flatMap((resource): Right[] => [
    ['escalate', 'rbac.authorization.k8s.io', resource],
    ['bind', 'rbac.authorization.k8s.io', resource, 'cluster-admin'],
    ['create', 'rbac.authorization.k8s.io', resource],
    ['patch', 'rbac.authorization.k8s.io', resource],
  ]),
  ['create', 'rbac.authorization.k8s.io', 'clusterrolebindings'],
  ['patch', 'rbac.authorization.k8s.io', 'clusterrolebindings'],
  ...[
    'mutatingwebhookconfigurations',
    'validatingwebhookconfigurations',
    'mutatingadmissionpolicies',
    'validatingadmissionpolicies',
    'validatingadmissionpolicybindings',
  ].flatMap((resource): Right[] =>
    ['create', 'update', 'patch', 'delete'].map((verb) => [verb, 'admissionregistration.k8s.io', resource]),
  ),
  ['patch', 'apiextensions.k8s.io', 'customresourcedefinitions'],
  ['create', 'apiregistration.k8s.io', 'apiservices'],
  ['create', 'certificates.k8s.io', 'certificatesigningrequests'],
  ['update', 'certificates.k8s.io', 'certificatesigningrequests/approval'],
  ['approve', 'certificates.k8s.io', 'signers'],
  ['create', '', 'persistentvolumes'],
  ['patch', '', 'nodes'],
  ['create', '', 'namespaces'],
  ['delete', '', 'namespaces'],
  ...['deployments', 'daemonsets', 'statefulsets', 'replicasets'].map((resource): Right => [
    'create',
    'apps',
    resource,
  ]),
  ['patch', 'apps', 'deployments'],
  ['create', 'batch', 'jobs'],
  ['create', 'batch', 'cronjobs'],
  ['create', 'toolhive.stacklok.dev', 'mcpregistries'],
  ['delete', 'toolhive.stacklok.dev', 'mcpregistries'],
];

async function mayDo([verb, group, resource, name]: Right, namespace?: string): Promise<boolean> {
  const [plural, subresource] = resource.split('/');
  const attributes = { verb, group, resource: plural, subresource, name, namespace };
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: OPERATOR_USER,
      groups: ['system:serviceaccounts', 'system:authenticated'],
      resourceAttributes: attributes,
    },
  };
  const answer = await transport.call({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: { contentType: 'application/json', value: review },
    attempt: 'review access',
  });
  return (answer as { status: { allowed: boolean } }).status.allowed;
}

describe('an operator for some namespaces', () => {
  const USER = 'system:serviceaccount:team-operator:toolhive-operator';

  it('provisions with the Roles of these only, and sees nothing elsewhere', async () => {
    const namespace = await createNamespace(api);
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const metadata = { namespace, name: 'toolhive-operator' };
    await api.apply({ apiVersion, kind: 'Role', metadata, rules: await namespaceScopeRules() } as KubernetesObject);
    await api.apply({
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
      subjects: [{ kind: 'ServiceAccount', namespace: 'team-operator', name: 'toolhive-operator' }],
    } as KubernetesObject);
    const local = new HttpKubernetesApi(accessAs(await sharedApiServer(), USER));
    await allowed(() => local.list('Secret', { namespace }));
    const { access: _, ...there } = site;
    const registry = await ProvisionedRegistry.create(api, namespace, {}, local, there);
    await registry.desired();
    await registry.provision();
    expect(Object.keys(await registry.versions())).toContain('Service/tools-api');
    await expect(local.list('MCPRegistry')).rejects.toThrow('forbidden');
    await expect(local.list('Secret', { namespace: 'kube-system' })).rejects.toThrow('forbidden');
    await expect(local.get('Namespace', '', namespace)).rejects.toThrow('forbidden');
    await local.close();
  });
});

describe('other users', () => {
  it('are not restricted, with or without a registry', async () => {
    const [empty, used] = [await createNamespace(api), await createNamespace(api)];
    await (await create(used, {})).desired();
    for (const namespace of [empty, used]) {
      const metadata = { namespace, name: 'theirs', labels: { 'app.kubernetes.io/managed-by': 'toolhive-operator' } };
      for (const [apiVersion, kind, rest] of [
        ['v1', 'ConfigMap', {}],
        ['v1', 'Secret', { type: 'kubernetes.io/basic-auth', stringData: { username: 'x', password: 'y' } }],
        ['v1', 'ServiceAccount', {}],
        ['v1', 'Service', { spec: { type: 'NodePort', ports: [{ port: 80 }] } }],
        ['rbac.authorization.k8s.io/v1', 'Role', { rules: [] }],
      ] as const) {
        expect(await refusal(api, { apiVersion, kind, metadata, ...rest } as KubernetesObject)).toBeUndefined();
      }
    }
    expect(await refusal(api, withLabel(empty, { any: 'label' }))).toBeUndefined();
  });
});

describe('the holder of its token', () => {
  it('has no right outside the namespaces of registries that allows an escalation', async () => {
    expect(await mayDo(['list', 'toolhive.stacklok.dev', 'mcpregistries'])).toBe(true);
    for (const namespace of [undefined, 'kube-system']) {
      const had = await Promise.all(ESCALATIONS.map(async (right) => ((await mayDo(right, namespace)) ? [right] : [])));
      expect(had.flat()).toEqual([]);
    }
  });

  describe('in the namespace of a registry', () => {
    let namespace: string;
    let registry: RegistryRef;

    beforeEach(async () => {
      namespace = await createNamespace(api);
      const created = await create(namespace, {});
      registry = created.ref;
      await created.desired();
    });

    const own = (kind: KindName, name: string, rest: object, metadata: object = {}): KubernetesObject => {
      const { metadata: known, ...type } = head(kind, registry, name);
      return { ...type, metadata: { ...known, ...metadata }, ...rest };
    };
    const pod = (fields: object, container: object = {}, annotations: object = {}) =>
      deploymentOf(registry, fields, container, annotations);
    const bind = (roleRef: object, subject: object, metadata: object = {}) => {
      const labels = { [REGISTRY_LABEL]: 'tools', [OPERATOR_BINDING_LABEL]: 'true' };
      const rest = {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...roleRef },
        subjects: [{ kind: 'ServiceAccount', ...subject }],
      };
      return own('RoleBinding', 'tools-operator', rest, { labels, ...metadata });
    };
    const ROLE = { kind: 'ClusterRole', name: OPERATOR_ACCESS.clusterRole };

    it('may write the objects that it creates', async () => {
      expect(await refusal(operator, own('Secret', 'tools-temporal', { type: 'Opaque' }))).toBeUndefined();
      expect(await refusal(operator, pod({}))).toBeUndefined();
      expect(await refusal(operator, bind(ROLE, OPERATOR_ACCOUNT))).toBeUndefined();
    });

    it.each(BEYOND_CONFINED)('cannot make $pod, for the registry or for one that does not exist', async (beyond) => {
      const { fields = {}, container = {}, annotations = {}, message } = beyond;
      const ghost = { namespace, name: 'ghost', uid: '0b6f6c2e-0000-4000-8000-000000000000' };
      for (const owner of [registry, ghost, { ...ghost, uid: registry.uid }]) {
        expect(await refusal(operator, deploymentOf(owner, fields, container, annotations))).toContain(message);
      }
    });

    it.each<[string, () => KubernetesObject, string]>([
      [
        'the token of an account',
        () =>
          own(
            'Secret',
            'tools-temporal',
            { type: 'kubernetes.io/service-account-token' },
            { annotations: { 'kubernetes.io/service-account.name': 'default' } },
          ),
        'Secrets of type Opaque',
      ],
      [
        'a role that reads Secrets',
        () =>
          own('Role', 'tools-registry-api', {
            rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['x'], verbs: ['get'] }],
          }),
        'may only allow it to read',
      ],
      [
        'a role that reads every ConfigMap',
        () =>
          own('Role', 'tools-registry-api', {
            rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
          }),
        'may only allow it to read',
      ],
      ['its rights for another', () => bind(ROLE, { namespace, name: 'default' }), 'must bind'],
      [
        'its rights where there is no registry',
        () => bind(ROLE, OPERATOR_ACCOUNT, { namespace: 'kube-system' }),
        'no params found',
      ],
      [
        'its rights without the label by which they are judged',
        () => bind(ROLE, OPERATOR_ACCOUNT, { name: 'other', labels: { [REGISTRY_LABEL]: 'tools' } }),
        'must bind',
      ],
      [
        'another role for itself',
        () => bind({ kind: 'ClusterRole', name: 'view' }, OPERATOR_ACCOUNT, { name: 'tools-registry-api' }),
        'must bind',
      ],
      [
        'the rights of an account in a cloud',
        () => own('ServiceAccount', 'tools-registry-api', {}, { annotations: { 'eks.amazonaws.com/role-arn': 'x' } }),
        'does not annotate',
      ],
      [
        'an address of another workload',
        () =>
          own('Service', 'tools-api', {
            spec: {
              selector: { 'app.kubernetes.io/component': 'registry-api' },
              ports: [{ port: 80 }],
              externalIPs: ['1.2.3.4'],
            },
          }),
        'no external addresses',
      ],
      [
        'a Service in front of other pods',
        () => own('Service', 'tools-api', { spec: { selector: { app: 'bank' }, ports: [{ port: 80 }] } }),
        'only for registry servers',
      ],
      ['an object of nobody', () => own('ConfigMap', 'x', {}, { ownerReferences: [] }), 'controlled by an MCPRegistry'],
      [
        'an object of another kind of owner',
        () =>
          own(
            'ConfigMap',
            'x',
            {},
            {
              ownerReferences: [
                { apiVersion: 'v1', kind: 'ConfigMap', name: 'tools', uid: registry.uid, controller: true },
              ],
            },
          ),
        'controlled by an MCPRegistry',
      ],
      [
        'an object of a registry with another uid',
        () => ({ ...head('ConfigMap', { ...registry, uid: 'other' }, 'x') }),
        'must have the uid',
      ],
      [
        'an object that outlives its owner by a finalizer',
        () => own('ConfigMap', 'x', {}, { finalizers: ['example.com/kept'] }),
        'sets no finalizers',
      ],
      ['an object without our label', () => own('ConfigMap', 'x', {}, { labels: {} }), 'must have the label'],
      [
        'an easier Pod Security level',
        () => withLabel(namespace, { 'pod-security.kubernetes.io/enforce': 'privileged' }),
        'changes only the label',
      ],
      [
        'another spec of the registry',
        () => ({
          apiVersion: 'toolhive.stacklok.dev/v1alpha1',
          kind: 'MCPRegistry',
          metadata: { namespace, name: 'tools' },
          spec: { podTemplateSpec: { spec: { serviceAccountName: 'admin' } } },
        }),
        'changes only the finalizers',
      ],
    ])('cannot make %s', async (_, object, message) => {
      expect(await refusal(operator, object())).toContain(message);
    });

    it('cannot take over an object of another owner', async () => {
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'theirs' }, type: 'Opaque' };
      await api.apply(secret, { fieldManager: 'them' });
      expect(await refusal(operator, own('Secret', 'theirs', {}))).toContain('never takes over');
    });

    it('cannot delete a RoleBinding of another owner', async () => {
      const binding = bind(ROLE, { namespace, name: 'default' }, { name: 'theirs', ownerReferences: [], labels: {} });
      await api.apply(binding, { fieldManager: 'them' });
      await expect(operator.delete('RoleBinding', { namespace, name: 'theirs' })).rejects.toThrow('forbidden');
      await expect(operator.delete('ConfigMap', { namespace, name: 'x' })).rejects.toThrow('forbidden');
    });
  });
});
