import { readFile } from 'node:fs/promises';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { allowed } from '#support/allowed.js';
import { accessAs, adminAccess, startApiServer } from '#support/api-server.js';
import type { RunningApiServer } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { installCrd, readCrd } from '#api-server/install-crd.js';
import { eventually } from '#support/eventually.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SAMPLE = new URL('../../deploy/samples/who-may-name-secrets.yaml', import.meta.url);

/** One of its own: the policy concerns every user, those of other tests included. */
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

it('lets a user who may only write MCPRegistries have one that needs no other right', async () => {
  expect(await refusal({ registries: [{ name: 'a', api: { endpoint: 'https://registry.example' } }] })).toBeUndefined();
});

it('demands the right to create Deployments for parts of the pod', async () => {
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
])('demands the right to read a Secret that is named for %s', async (_, spec) => {
  expect(await refusal(spec)).toContain('only a user who may read a Secret');
  await grant('secret', [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['client'], verbs: ['get'] }]);
  await eventually(async () => ((await refusal(spec)) === undefined ? true : undefined));
});

it('asks about each field of the spec that names a Secret with a value to be used', async () => {
  const fields = JSON.stringify(await readCrd()).match(/"\w*(?:[sS]ecretRef|TokenRef)":/g) ?? [];
  const sample = await readFile(SAMPLE, 'utf8');
  expect(fields.length).toBeGreaterThan(0);
  for (const field of new Set(fields)) expect(sample).toContain(field.slice(1, -2));
});

it('demands the right to impersonate a ServiceAccount that the operator is to act as', async () => {
  const spec = { serviceAccountName: 'strong' };
  expect(await refusal(spec)).toContain('only a user who may impersonate a ServiceAccount');
  await grant('acting', [
    { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: ['strong'], verbs: ['impersonate'] },
  ]);
  await eventually(async () => ((await refusal(spec)) === undefined ? true : undefined));
});
