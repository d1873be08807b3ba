import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { allowed } from '#support/allowed.js';
import { accessAs, adminAccess, startApiServer } from '#support/api-server.js';
import type { RunningApiServer } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { ProvisionedRegistry } from '#support/provisioned-registry.js';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import { eventually } from '#support/eventually.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SAMPLE = new URL('../../deploy/samples/who-may-name-secrets.yaml', import.meta.url);

/** A separate API server, because the policy applies to every user, including those of other tests. */
let server: RunningApiServer;
let directory: string;
let api: HttpKubernetesApi;
let tenant: HttpKubernetesApi;
let namespace: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mcpregistry-authors-'));
  server = await startApiServer(directory);
  api = new HttpKubernetesApi(adminAccess(server));
  tenant = new HttpKubernetesApi(accessAs(server, 'tenant'));
  await installCrd(api, await readCrd());
  for (const document of parseAllDocuments(await readFile(SAMPLE, 'utf8')))
    await api.apply(document.toJS() as KubernetesObject);
});

afterAll(async () => {
  await Promise.all([api.close(), tenant.close()]);
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  namespace = await createNamespace(api);
  await grant('registries', [
    { apiGroups: ['toolhive.stacklok.dev'], resources: ['mcpregistries'], verbs: ['get', 'create', 'patch'] },
  ]);
  await allowed(() => tenant.get('MCPRegistry', namespace, 'x'));
  await eventually(async () => ((await refusal(withPod))?.includes('only a user') ? true : undefined));
});

async function grant(name: string, rules: object[]): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  await api.apply({ apiVersion, kind: 'Role', metadata: { namespace, name }, rules } as KubernetesObject);
  await api.apply({
    apiVersion,
    kind: 'RoleBinding',
    metadata: { namespace, name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }],
  } as KubernetesObject);
}

const withPod = { podTemplateSpec: { spec: { hostNetwork: true } } };
const key = (name: string) => ({ name, key: 'k' });
const provider = { name: 'p', issuerUrl: 'https://idp.example', audience: 'a', clientSecretRef: key('client') };

function refusal(spec: object): Promise<string | undefined> {
  const registry = {
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { namespace, name: 'tools' },
    spec: { auth: { mode: 'anonymous' }, ...spec },
  };
  return tenant.dryRunApply(registry).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

it('lets a user who may only write MCPRegistries create one that needs no other right', async () => {
  expect(await refusal({ registries: [{ name: 'a', api: { endpoint: 'https://registry.example' } }] })).toBeUndefined();
});

it('requires the right to create Deployments for parts of the pod', async () => {
  expect(await refusal(withPod)).toContain('only a user who may create Deployments');
  await grant('deployments', [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['create'] }]);
  await eventually(async () => ((await refusal(withPod)) === undefined ? true : undefined));
});

it.each<[string, object]>([
  [
    'git',
    {
      registries: [
        { name: 'a', git: { repository: 'https://x', auth: { username: 'u', passwordSecretRef: key('client') } } },
      ],
    },
  ],
  ['a provider', { auth: { mode: 'oauth', oauth: { providers: [provider] } } }],
  [
    'a webhook',
    {
      registries: [{ name: 'a', api: { endpoint: 'https://registry.example' } }],
      webhooks: [{ name: 'w', type: 'github', secretRef: key('client') }],
    },
  ],
  [
    'a database',
    { databaseConfig: { dbAppUserPasswordSecretRef: key('client'), dbMigrationUserPasswordSecretRef: key('client') } },
  ],
])('requires the right to read a Secret that is used for %s', async (_, spec) => {
  expect(await refusal(spec)).toContain('only a user who may read a Secret');
  await grant('secret', [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['client'], verbs: ['get'] }]);
  await eventually(async () => ((await refusal(spec)) === undefined ? true : undefined));
});

/** A spec for each field that refers to a Secret whose value is used. */
const NAMING: Readonly<Record<string, object>> = {
  ...Object.fromEntries(
    ['passwordSecretRef', 'sshKeySecretRef', 'knownHostsSecretRef'].map((field) => {
      const ssh = { sshKeySecretRef: key('readable'), knownHostsSecretRef: key('readable') };
      const isSsh = field !== 'passwordSecretRef';
      const auth = { ...(isSsh ? ssh : { username: 'u' }), [field]: key('client') };
      const repository = isSsh ? 'ssh://git@x/y' : 'https://x';
      return [`registries.git.auth.${field}`, { registries: [{ name: 'a', git: { repository, auth } }] }];
    }),
  ),
  'registries.api.auth.tokenSecretRef': withApi({ tokenSecretRef: key('client') }),
  'registries.api.auth.clientCredentials.clientSecretRef': withApi({
    clientCredentials: { tokenUrl: 'https://idp.example/token', clientId: 'c', clientSecretRef: key('client') },
  }),
  ...Object.fromEntries(
    ['auth', 'authConfig'].flatMap((block) =>
      ['clientSecretRef', 'authTokenRef'].map((field) => [
        `${block}.oauth.providers.${field}`,
        {
          auth: undefined,
          [block]: {
            mode: 'oauth',
            oauth: {
              providers: [{ name: 'p', issuerUrl: 'https://idp.example', audience: 'a', [field]: key('client') }],
            },
          },
        },
      ]),
    ),
  ),
  'databaseConfig.dbAppUserPasswordSecretRef': withDatabase('client', 'readable'),
  'databaseConfig.dbMigrationUserPasswordSecretRef': withDatabase('readable', 'client'),
  'webhooks.secretRef': { webhooks: [{ name: 'w', type: 'github', secretRef: key('client') }] },
  pgpassSecretRef: { auth: undefined, configYAML: 'auth: { mode: anonymous }', pgpassSecretRef: key('client') },
};

function withApi(auth: object): object {
  return { registries: [{ name: 'a', api: { endpoint: 'https://registry.example', auth } }] };
}

function withDatabase(app: string, migrator: string): object {
  return {
    databaseConfig: { dbAppUserPasswordSecretRef: key(app), dbMigrationUserPasswordSecretRef: key(migrator) },
  };
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** Returns the paths of the fields that refer to a Secret. */
function secretFields({ properties = {} }: Schema, path = ''): string[] {
  return Object.entries(properties).flatMap(([name, schema]) =>
    /(?:[sS]ecretRef|TokenRef)$/.test(name) ? [path + name] : secretFields(schema.items ?? schema, `${path}${name}.`),
  );
}

it.each(Object.entries(NAMING))('requires the right to read the Secret in %s', async (_, spec) => {
  await grant('readable', [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['readable'], verbs: ['get'] }]);
  await eventually(() =>
    tenant.get('Secret', namespace, 'readable').then(
      () => true,
      () => undefined,
    ),
  );
  expect(await refusal(spec)).toContain('only a user who may read a Secret');
});

it('knows each field of the spec that refers to a Secret', async () => {
  const crd = (await readCrd()) as unknown as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: Schema } } } }[] };
  };
  for (const { schema } of crd.spec.versions) {
    expect(secretFields(schema.openAPIV3Schema.properties.spec).toSorted()).toEqual(Object.keys(NAMING).toSorted());
  }
});

it('requires the right to impersonate a ServiceAccount in the spec', async () => {
  const spec = { serviceAccountName: 'strong' };
  expect(await refusal(spec)).toContain('only a user who may impersonate a ServiceAccount');
  await grant('acting', [
    { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: ['strong'], verbs: ['impersonate'] },
  ]);
  await eventually(async () => ((await refusal(spec)) === undefined ? true : undefined));
});

/**
 * Objects that a tenant with write access only to the MCPRegistries of one namespace may try to write, by what they
 * would give.
 */
const ESCALATIONS: readonly (readonly [what: string, object: () => object])[] = [
  ['a pod', () => ({ apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'c', image: 'x' }] } })],
  [
    'a Deployment in the name of a registry',
    () => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'tools-api', labels: { 'toolhive.stacklok.dev/registry-name': 'tools' } },
    }),
  ],
  [
    'the token of an account',
    () => ({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'token', annotations: { 'kubernetes.io/service-account.name': 'strong' } },
    }),
  ],
  [
    'more rights',
    () => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tenant' }],
    }),
  ],
  [
    'an object that the operator would take for its own',
    () => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'tools-registry-server-config',
        labels: { 'app.kubernetes.io/managed-by': 'toolhive-operator' },
      },
    }),
  ],
  ['the label of the namespace', () => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })],
  [
    'a registry in another namespace',
    () => ({ ...registryWith({}), metadata: { namespace: 'default', name: 'tools' } }),
  ],
  ['a pod with privileges', () => registryWith({ podTemplateSpec: { spec: { hostPID: true } } })],
  ['a pod of a strong account', () => registryWith({ podTemplateSpec: { spec: { serviceAccountName: 'strong' } } })],
  [
    'a program of its own',
    () => registryWith({ podTemplateSpec: { spec: { containers: [{ name: 'c', image: 'x' }] } } }),
  ],
  ['provisioning by a strong account', () => registryWith({ serviceAccountName: 'strong' })],
  [
    'a Secret of the namespace, sent to a server of its own',
    () =>
      registryWith({
        registries: [
          {
            name: 'a',
            git: { repository: 'https://evil.example/x', auth: { username: 'u', passwordSecretRef: key('foreign') } },
          },
        ],
      }),
  ],
  [
    'a Secret of the namespace, mounted',
    () =>
      registryWith({
        auth: undefined,
        configYAML: 'auth: { mode: anonymous }',
        volumes: [{ name: 'v', secret: { secretName: 'foreign' } }],
      }),
  ],
  [
    'the passwords of a database',
    () => registryWith({ auth: undefined, configYAML: 'auth: { mode: anonymous }', pgpassSecretRef: key('foreign') }),
  ],
];

const registryWith = (spec: object) => ({
  apiVersion: 'toolhive.stacklok.dev/v1alpha1',
  kind: 'MCPRegistry',
  spec: { auth: { mode: 'anonymous' }, ...spec },
});

it.each(ESCALATIONS)('prevents a tenant who may only write MCPRegistries from %s', async (_, object) => {
  const wanted = object() as { readonly metadata?: object };
  const tried = { ...wanted, metadata: { namespace, name: 'tools', ...wanted.metadata } };
  await expect(tenant.apply(tried as KubernetesObject)).rejects.toMatchObject({ statusReason: 'Forbidden' });
});

it('prevents a tenant who may only write MCPRegistries from writing their status and from using objects of others', async () => {
  await tenant.apply({ ...registryWith({}), metadata: { namespace, name: 'tools' } } as KubernetesObject);
  const status = { ...registryWith({}), metadata: { namespace, name: 'tools' }, status: { phase: 'Ready' } };
  await expect(tenant.applyStatus(status as Parameters<typeof tenant.applyStatus>[0])).rejects.toThrow('forbidden');
  for (const kind of ['Secret', 'ConfigMap', 'Deployment', 'Pod', 'Role', 'RoleBinding', 'ServiceAccount'] as const) {
    await expect(tenant.list(kind, { namespace })).rejects.toThrow('forbidden');
  }
  await expect(tenant.list('MCPRegistry')).rejects.toThrow('forbidden');
});

it('never lets the registry of a tenant take over an object with a name that it needs', async () => {
  const data = { address: 'dGhlaXJz' };
  const theirs = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name: 'tools-temporal' }, data };
  await api.create(theirs as KubernetesObject);
  const registry = await ProvisionedRegistry.create(api, namespace, {});
  await expect(registry.provision()).rejects.toThrow('exists already');
  expect(await registry.find('Secret', 'tools-temporal')).toMatchObject({ data });
});
