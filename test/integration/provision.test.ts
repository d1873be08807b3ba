import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultDatabaseSpec } from '#spec/default-database.js';
import { parseServerConfig } from '#spec/server-config.js';
import type { KindName } from '#kubernetes/kinds.js';
import { withClient } from '#persistence/database-client.js';
import { HttpTransport } from '#kubernetes/http-transport.js';
import { pathOf } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { FINALIZER } from '#kubernetes/kubernetes-resource-store.js';
import { adminAccess } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { installRouteCrd } from '#support/route-crd.js';
import { CHILDREN, ProvisionedRegistry, settings } from '#support/provisioned-registry.js';
import { sharedApiServer } from '#support/shared-api-server.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import type { TcpPostgres } from '#support/tcp-postgres.js';

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas: number;
    readonly strategy: { readonly type: string };
    readonly template: {
      readonly metadata: object;
      readonly spec: {
        readonly containers: readonly { readonly name: string; readonly image: string; readonly env?: object[] }[];
        readonly volumes: readonly { readonly name: string }[];
      };
    };
  };
}

/** An API client that deletes the first object of the kind `removes` as soon as the operator has read it. */
class Hindered extends HttpKubernetesApi {
  removes: KindName | undefined;

  override async get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string) {
    const found = await super.get<T>(kind, namespace, name);
    if (kind === this.removes && found?.metadata.ownerReferences) {
      this.removes = undefined;
      await this.delete(kind, { namespace, name });
    }
    return found;
  }
}

/** An API client that calls `on` once, as soon as the operator has read an object of the kind `pausesAt`. */
class Paused extends HttpKubernetesApi {
  pausesAt: KindName | undefined;
  on: () => Promise<unknown> = async () => undefined;

  override async get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string) {
    const found = await super.get<T>(kind, namespace, name);
    if (kind === this.pausesAt) {
      this.pausesAt = undefined;
      await this.on();
    }
    return found;
  }
}

/** An API client that may not read one object. */
class Forbidden extends HttpKubernetesApi {
  hidden: string | undefined;

  override async get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string) {
    if (`${kind}/${name}` === this.hidden)
      throw new KubernetesRefusal(`read ${this.hidden}`, { code: 403, reason: 'Forbidden', message: 'forbidden' });
    return super.get<T>(kind, namespace, name);
  }
}

let api: HttpKubernetesApi;
let namespace: string;

beforeAll(async () => {
  api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
});

beforeEach(async () => {
  namespace = await createNamespace(api);
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(() => api.close());

const local = { name: 'local', configMapRef: { name: 'catalogue', key: 'registry.json' } };
const shared = { name: 'shared', pvcRef: { claimName: 'data' } };
const databaseConfig = {
  dbAppUserPasswordSecretRef: { name: 'passwords', key: 'app' },
  dbMigrationUserPasswordSecretRef: { name: 'passwords', key: 'migrator' },
};
const whole = { registries: [local], databaseConfig };

const withPod = (podSpec: object) => ({ ...whole, podTemplateSpec: { spec: podSpec } });

function passwords(data: Record<string, string> = { app: 'a', migrator: 'm' }): Promise<KubernetesObject> {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return somebodyApplies('v1', 'Secret', 'passwords', { data: Object.fromEntries(encoded) });
}

function somebodyApplies(apiVersion: string, kind: KindName, name: string, rest: object, metadata: object = {}) {
  const object = { apiVersion, kind, metadata: { namespace, name, ...metadata }, ...rest };
  return api.apply(object as KubernetesObject, { fieldManager: 'somebody' });
}

function claim(...accessModes: string[]): Promise<KubernetesObject> {
  return somebodyApplies('v1', 'PersistentVolumeClaim', 'data', {
    spec: { accessModes, resources: { requests: { storage: '1Gi' } } },
  });
}

async function provisioned(spec: object = whole): Promise<ProvisionedRegistry> {
  await passwords();
  const registry = await ProvisionedRegistry.create(api, namespace, spec);
  await registry.provision();
  return registry;
}

const deployment = async (registry: ProvisionedRegistry) =>
  (await registry.find<Deployment>('Deployment', 'tools-api'))!;

/** Returns the names of the objects that were written between two snapshots. */
function written(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after).filter((object) => after[object] !== before[object]);
}

describe('a registry', () => {
  it('consists of these objects, which are deleted with it', async () => {
    const registry = await provisioned();
    for (const [kind, name] of CHILDREN) {
      const { labels, ownerReferences } = (await registry.find(kind, name))!.metadata;
      expect(labels).toMatchObject({ 'app.kubernetes.io/instance': 'tools' });
      expect(ownerReferences).toMatchObject([{ kind: 'MCPRegistry', uid: registry.ref.uid, controller: true }]);
    }
  });

  it('is completed at once when one of its objects is deleted between the read and the write', async () => {
    const registry = await provisioned();
    const operator = new Hindered(adminAccess(await sharedApiServer()));
    const again = await ProvisionedRegistry.create(api, namespace, whole, operator);
    operator.removes = 'Secret';
    await again.provision();
    expect(operator.removes).toBeUndefined();
    expect(Object.keys(await again.versions())).toEqual(Object.keys(await registry.versions()));
    await operator.close();
  });

  it.each<KindName>(['ConfigMap', 'RoleBinding', 'Secret', 'Deployment', 'Service'])(
    'is not overwritten by an attempt that stalled at its %s while another created the desired state',
    async (kind) => {
      const latest = await provisioned();
      const operator = new Paused(adminAccess(await sharedApiServer()));
      const stalled = await ProvisionedRegistry.create(api, namespace, withPod({ hostname: 'old' }), operator);
      let versions: Record<string, string> = {};
      operator.on = async () => {
        await latest.edit(withPod({ hostname: 'new' }));
        await latest.provision();
        versions = await latest.versions();
        const stoodStillAtMs = performance.now();
        vi.spyOn(performance, 'now').mockImplementation(() => stoodStillAtMs + 60_000);
      };
      operator.pausesAt = kind;
      await expect(stalled.provision()).rejects.toMatchObject({ type: 'Cancelled', nonRetryable: false });
      expect(operator.pausesAt).toBeUndefined();
      expect((await deployment(latest)).spec.template.spec).toMatchObject({ hostname: 'new' });
      expect(await latest.versions()).toEqual(versions);
      expect(versions).not.toEqual({});
      await operator.close();
    },
  );

  it.each<KindName>(['ConfigMap', 'ServiceAccount', 'Deployment', 'Service'])(
    'is no longer written by an attempt that is cancelled after it has read the %s',
    async (kind) => {
      const registry = await provisioned();
      const operator = new Paused(adminAccess(await sharedApiServer()));
      const cancelled = await ProvisionedRegistry.create(api, namespace, withPod({ hostname: 'new' }), operator);
      const cancellation = new AbortController();
      let before: Record<string, string> = {};
      operator.on = async () => {
        before = await registry.versions();
        cancellation.abort();
      };
      operator.pausesAt = kind;
      await expect(cancelled.provision(cancellation.signal)).rejects.toThrow('cancelled');
      expect(before).not.toEqual({});
      expect(await registry.versions()).toEqual(before);
      await operator.close();
    },
  );

  it.each([
    ['ConfigMap/tools-registry-server-config', 'ConfigMapFailed'],
    ['RoleBinding/tools-registry-api', 'RBACFailed'],
    ['Secret/tools-temporal', 'TemporalSecretFailed'],
    ['Deployment/tools-api', 'DeploymentFailed'],
    ['Deployment/tools-api-readers', 'DeploymentFailed'],
    ['Service/tools-api-writer', 'ServiceFailed'],
    ['NetworkPolicy/tools-api', 'ServiceFailed'],
    ['Ingress/tools-api', 'ServiceFailed'],
  ])('reports the step if the API server does not allow %s to be read', async (hidden, reason) => {
    const operator = new Forbidden(adminAccess(await sharedApiServer()));
    await passwords();
    const registry = await ProvisionedRegistry.create(api, namespace, whole, operator);
    operator.hidden = hidden;
    await expect(registry.provision()).rejects.toMatchObject({ type: reason });
    await operator.close();
  });

  it('is written once: a second time nothing is, and after an irrelevant edit only its number', async () => {
    const registry = await provisioned(
      withPod({ containers: [{ name: 'registry-api', resources: { limits: { cpu: '1' } } }] }),
    );
    const before = await registry.versions();
    expect(Object.keys(before)).toHaveLength(CHILDREN.length);
    await registry.provision();
    await registry.edit({
      ...withPod({ containers: [{ name: 'registry-api', resources: { limits: { cpu: '1' } } }] }),
      enforceServers: true,
    });
    await registry.provision();
    // Only the ConfigMap is written, because the configuration contains the generation.
    expect(written(before, await registry.versions())).toEqual(['ConfigMap/tools-registry-server-config']);
  });

  it.each(CHILDREN)('gets its %s %s back after a deletion', async (kind, name) => {
    const registry = await provisioned();
    await api.delete(kind, { namespace, name });
    await registry.provision();
    expect(await registry.find(kind, name)).toBeDefined();
  });

  it('gets new pods when its account is replaced, because the tokens of the old pods are invalid', async () => {
    const registry = await provisioned();
    const before = await registry.provision();
    const account = async () => (await registry.find('ServiceAccount', 'tools-registry-api'))!.metadata.uid;
    await api.delete('ServiceAccount', { namespace, name: 'tools-registry-api' });
    const after = await registry.provision();
    expect(after.podHash).not.toBe(before.podHash);
    expect((await deployment(registry)).spec.template.metadata).toMatchObject({
      annotations: { 'toolhive.stacklok.dev/service-account-uid': await account() },
    });
    expect(await registry.provision()).toEqual(after);
  });

  it('keeps its pods when they run as an account of the user', async () => {
    const registry = await provisioned(withPod({ serviceAccountName: 'theirs' }));
    const before = await registry.provision();
    await api.delete('ServiceAccount', { namespace, name: 'tools-registry-api' });
    expect(await registry.provision()).toEqual(before);
  });

  it('writes only its configuration after an edit of a filter, without new pods', async () => {
    const registry = await provisioned();
    const [before, template] = [await registry.versions(), (await deployment(registry)).spec.template];
    const planned = await registry.desired();
    await registry.edit({ ...whole, registries: [{ ...local, filter: { tags: { include: ['x'] } } }] });
    await registry.provision();
    expect(written(before, await registry.versions())).toEqual(['ConfigMap/tools-registry-server-config']);
    expect((await deployment(registry)).spec.template).toEqual(template);
    expect((await registry.desired())?.provision?.digest).not.toBe(planned?.provision?.digest);
  });

  it('adds and removes a ConfigMap source with its configuration and its rights, without new pods', async () => {
    const registry = await provisioned();
    const [before, { podHash }] = [await registry.versions(), await registry.provision()];
    const more = { name: 'more', configMapRef: { name: 'other', key: 'registry.json' } };
    await registry.edit({ ...whole, registries: [local, more] });
    expect((await registry.provision()).podHash).toBe(podHash);
    const after = await registry.versions();
    expect(written(before, after)).toEqual(['ConfigMap/tools-registry-server-config', 'Role/tools-registry-api']);
    expect(await registry.find('Role', 'tools-registry-api')).toMatchObject({
      rules: expect.arrayContaining([
        expect.objectContaining({ resourceNames: ['tools-registry-server-config', 'catalogue', 'other'] }),
      ]),
    });
    await registry.edit(whole);
    await registry.provision();
    expect(written(after, await registry.versions())).not.toContain('Deployment/tools-api');
  });

  it('is not provisioned when it is deleted, or when another has its name', async () => {
    const registry = await provisioned();
    await api.delete('MCPRegistry', { namespace, name: 'tools' });
    await expect(registry.provision()).rejects.toMatchObject({ type: 'Cancelled', nonRetryable: true });
    await registry.edit(whole);
    await expect(registry.provision()).rejects.toMatchObject({ type: 'Cancelled' });
  });

  it('can be deleted with a pod template that cannot be parsed', async () => {
    const broken = { ...whole, podTemplateSpec: { spec: { containers: 'none' } } };
    const registry = await ProvisionedRegistry.create(api, namespace, broken);
    await passwords();
    await expect(registry.provision()).rejects.toMatchObject({ type: 'InvalidPodTemplateSpec' });
    await api.patchFinalizers('MCPRegistry', registry.ref, { add: FINALIZER });
    await api.delete('MCPRegistry', { namespace, name: 'tools' });
    expect(await registry.desired()).toMatchObject({ deleting: true });
    await api.patchFinalizers('MCPRegistry', registry.ref, { remove: FINALIZER });
    expect(await registry.desired()).toBeNull();
  });
});

describe('a foreign change', () => {
  it('is repaired in our own fields, and kept in others', async () => {
    const registry = await provisioned();
    const { metadata, spec } = await deployment(registry);
    const [server] = spec.template.spec.containers;
    await api.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { namespace, name: 'tools-api', annotations: { mine: 'x' } },
        spec: {
          replicas: 3,
          template: {
            metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } },
            spec: { containers: [{ name: 'registry-api', image: 'evil', env: [{ name: 'MINE', value: '1' }] }] },
          },
        },
      } as KubernetesObject,
      { fieldManager: 'somebody' },
    );
    await registry.provision();
    const repaired = await deployment(registry);
    expect(repaired.spec.replicas).toBe(3);
    expect(repaired.metadata.annotations).toMatchObject({ ...metadata.annotations, mine: 'x' });
    expect(repaired.spec.template.metadata).toMatchObject({
      annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' },
    });
    expect(repaired.spec.template.spec.containers[0]?.image).toBe(server?.image);
    expect(repaired.spec.template.spec.containers[0]?.env).toContainEqual({ name: 'MINE', value: '1' });
  });

  it('of the subjects of a binding is reverted', async () => {
    const registry = await provisioned();
    await api.delete('RoleBinding', { namespace, name: 'tools-registry-api' });
    const ownerReferences = (await registry.find('Role', 'tools-registry-api'))!.metadata.ownerReferences;
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' };
    await somebodyApplies(
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      'tools-registry-api',
      { roleRef },
      { ownerReferences },
    );
    await registry.provision();
    expect(await registry.find('RoleBinding', 'tools-registry-api')).toMatchObject({
      roleRef: { kind: 'Role', name: 'tools-registry-api' },
    });
  });
});

describe('a foreign object of the same name', () => {
  const port = { ports: [{ port: 80 }] };
  const pod = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'x', image: 'x' }] } };
  const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'x' };

  it.each<[KindName, string, string, object, string]>([
    ['ConfigMap', 'v1', 'tools-registry-server-config', { data: { a: 'b' } }, 'ConfigMapFailed'],
    ['ServiceAccount', 'v1', 'tools-registry-api', {}, 'RBACFailed'],
    ['Role', 'rbac.authorization.k8s.io/v1', 'tools-registry-api', { rules: [] }, 'RBACFailed'],
    ['RoleBinding', 'rbac.authorization.k8s.io/v1', 'tools-registry-api', { roleRef: role }, 'RBACFailed'],
    ['Secret', 'v1', 'tools-db-pgpass', { data: {} }, 'PGPassSecretFailed'],
    ['Secret', 'v1', 'tools-temporal', { data: {} }, 'TemporalSecretFailed'],
    [
      'Deployment',
      'apps/v1',
      'tools-api',
      { spec: { selector: { matchLabels: { a: 'b' } }, template: pod } },
      'DeploymentFailed',
    ],
    ['Service', 'v1', 'tools-api', { spec: port }, 'ServiceFailed'],
  ])('%s is not changed, and is reported', async (kind, apiVersion, name, rest, reason) => {
    await passwords();
    const theirs = await somebodyApplies(apiVersion, kind, name, rest);
    const registry = await ProvisionedRegistry.create(api, namespace, whole);
    await expect(registry.provision()).rejects.toMatchObject({
      type: reason,
      nonRetryable: true,
      message: expect.stringMatching(
        new RegExp(`^${kind} ${namespace}/${name} exists already .*rename the MCPRegistry$`),
      ),
    });
    expect(await registry.find(kind, name)).toEqual(theirs);
  });

  it('is reported with its owner', async () => {
    const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'shop', uid: 'u', controller: true }];
    await somebodyApplies('v1', 'Service', 'tools-api', { spec: port }, { ownerReferences });
    await passwords();
    const registry = await ProvisionedRegistry.create(api, namespace, whole);
    await expect(registry.provision()).rejects.toThrow('belongs to Deployment shop');
  });

  it('of an earlier registry is waited for', async () => {
    const earlier = await provisioned();
    await api.delete('MCPRegistry', { namespace, name: 'tools' });
    const registry = await ProvisionedRegistry.create(api, namespace, whole);
    expect(registry.ref.uid).not.toBe(earlier.ref.uid);
    await expect(registry.provision()).rejects.toMatchObject({
      type: 'ConfigMapFailed',
      nonRetryable: false,
      message: expect.stringContaining('a deleted MCPRegistry'),
    });
  });
});

describe('a password', () => {
  it.each<[string, Record<string, string> | undefined, string]>([
    ['is missing with its Secret', undefined, 'Secret NS/passwords does not exist'],
    ['is missing in its Secret', { app: 'a' }, 'Secret NS/passwords has no key "migrator"'],
    ['is empty', { app: '\n', migrator: 'm' }, 'key app of Secret NS/passwords is empty'],
    ['has several lines', { app: 'a\nb', migrator: 'm' }, 'key app of Secret NS/passwords holds more than one line'],
  ])('that %s is reported without its value', async (_, data, message) => {
    if (data) await passwords(data);
    const registry = await ProvisionedRegistry.create(api, namespace, whole);
    const planned = await registry.desired();
    await expect(registry.provision()).rejects.toMatchObject({
      type: 'PGPassSecretFailed',
      message: expect.stringContaining(message.replace('NS', namespace)),
    });
    await passwords({ app: 'secret:1\n', migrator: 'm' });
    expect((await registry.desired())?.provision?.digest).not.toBe(planned?.provision?.digest);
    await registry.provision();
    const secret = (await registry.find('Secret', 'tools-db-pgpass')) as unknown as { data: Record<string, string> };
    expect(Buffer.from(secret.data['.pgpass']!, 'base64').toString()).toBe(
      'postgres:5432:registry:db_app:secret\\:1\npostgres:5432:registry:db_migrator:m\n',
    );
  });

  it('that was changed requires a new pod; other changes of its Secret do not', async () => {
    const registry = await provisioned();
    const before = await registry.provision();
    await api.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace, name: 'passwords', labels: { a: 'b' } },
        data: { x: 'eA==' },
      } as KubernetesObject,
      { fieldManager: 'somebody else' },
    );
    expect(await registry.provision()).toEqual(before);
    await passwords({ app: 'new', migrator: 'm' });
    expect((await registry.provision()).podHash).not.toBe(before.podHash);
  });
});

describe('the default database of a site', () => {
  let postgres: TcpPostgres;
  let site: Parameters<typeof ProvisionedRegistry.create>[4];

  beforeAll(async () => {
    postgres = await startTcpPostgres();
    await postgres.setUp({ hba: ['host all all 127.0.0.1/32 scram-sha-256'] });
    await postgres.asSuperuser((client) =>
      client.query("CREATE ROLE mcp_registry_operator LOGIN CREATEROLE CREATEDB PASSWORD 'admin'"),
    );
    const server = { host: '127.0.0.1', port: postgres.port, sslMode: 'disable' as const };
    const defaultDatabase = defaultDatabaseSpec.parse(server);
    const { adminUser: user, adminDatabase } = defaultDatabase;
    site = {
      settings: { ...settings, defaultDatabase },
      databaseAdmin: async () => ({ ...server, user, database: adminDatabase, password: 'admin' }),
    };
  });

  afterAll(() => postgres[Symbol.asyncDispose]());

  const create = (spec: object, in_ = namespace) => ProvisionedRegistry.create(api, in_, spec, api, site);
  const pgpass = async (registry: ProvisionedRegistry) => {
    const { data } = (await registry.find('Secret', 'tools-db-pgpass')) as unknown as { data: Record<string, string> };
    return Buffer.from(data['.pgpass']!, 'base64').toString();
  };
  /** Opens the configured database of a registry server with the credentials in its Secret. */
  const open = async (registry: ProvisionedRegistry, database?: string) => {
    const [, , known = '', user = '', password = ''] = (await pgpass(registry)).trimEnd().split(':');
    const access = { host: '127.0.0.1', port: postgres.port, user, password, sslMode: 'disable' as const };
    return withClient({ ...access, database: database ?? known }, async (client) => {
      const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name');
      return rows[0]?.name;
    });
  };

  it('gives a registry without a databaseConfig a database that only its Secret gives access to', async () => {
    const [mine, other] = [await create({ registries: [local] }), await create({}, await createNamespace(api))];
    for (const registry of [mine, other]) await registry.provision();
    const name = `mcp_${namespace}_tools`;
    expect(await open(mine)).toBe(name);
    expect(await pgpass(mine)).toMatch(/^127\.0\.0\.1:\d+:(mcp_\S+_tools):\1:[\w-]{32}\n$/);
    await expect(open(other, name)).rejects.toMatchObject({ reason: 'DatabasePermissionDenied' });
    const config = (await mine.find<KubernetesObject & { data: Record<string, string> }>(
      'ConfigMap',
      'tools-registry-server-config',
    ))!;
    expect(parseServerConfig(config.data['config.yaml']!)).toMatchObject({
      spec: { databaseConfig: { host: '127.0.0.1', database: name, user: name, migrationUser: name } },
    });
  });

  it('is not used for a registry with its own database', async () => {
    await passwords();
    const registry = await create(whole);
    await registry.provision();
    expect(await pgpass(registry)).toMatch(/^postgres:5432:registry:db_app:a\n/);
  });

  it('writes nothing the second time, and creates a new password and pods when the Secret is lost', async () => {
    const registry = await create({ registries: [local] });
    const first = await registry.provision();
    const [password, versions] = [await pgpass(registry), await registry.versions()];
    expect(await registry.provision()).toEqual(first);
    expect(await registry.versions()).toEqual(versions);
    await api.delete('Secret', { namespace, name: 'tools-db-pgpass' });
    expect((await registry.provision()).podHash).not.toBe(first.podHash);
    expect(await pgpass(registry)).not.toBe(password);
    expect(await open(registry)).toBe(`mcp_${namespace}_tools`);
  });

  it('reports why it cannot be created, without a password', async () => {
    const { databaseAdmin } = site!;
    const wrong = { ...site!, databaseAdmin: async () => ({ ...(await databaseAdmin!()), password: 'not the one' }) };
    const registry = await ProvisionedRegistry.create(api, namespace, {}, api, wrong);
    const failure = await registry.provision().then(
      () => undefined,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ type: 'DatabaseAuthFailed' });
    expect(failure?.message).not.toContain('not the one');
  });
});

describe('a pod template of the user', () => {
  it('is applied, and removed when it is removed from the spec', async () => {
    const registry = await provisioned(
      withPod({ priorityClassName: 'system-node-critical', containers: [{ name: 'proxy', image: 'proxy' }] }),
    );
    const annotation = 'toolhive.stacklok.io/podtemplatespec-hash';
    const followed = await deployment(registry);
    expect(followed.metadata.annotations).toHaveProperty([annotation]);
    expect(followed.spec.template.spec.containers.map(({ name }) => name)).toEqual(['registry-api', 'proxy']);
    await registry.edit(whole);
    await registry.provision();
    const { metadata, spec } = await deployment(registry);
    expect(metadata.annotations ?? {}).not.toHaveProperty([annotation]);
    expect(spec.template.spec).not.toHaveProperty('priorityClassName');
    expect(spec.template.spec.containers.map(({ name }) => name)).toEqual(['registry-api']);
  });

  it.each<[string, object, RegExp]>([
    ['a value that is wrong', { restartPolicy: 'Sometimes' }, /Unsupported value: "Sometimes"/],
    [
      'more requested than allowed',
      {
        containers: [{ name: 'registry-api', resources: { requests: { memory: '1Gi' }, limits: { memory: '512Mi' } } }],
      },
      /must be less than or equal to memory limit/,
    ],
    ['a value of the wrong type', { hostNetwork: 'x' }, /hostNetwork/],
  ])(
    'with %s is rejected with the message of the API server, and the Deployment is unchanged',
    async (_, podSpec, words) => {
      const registry = await provisioned();
      const before = await registry.versions();
      await registry.edit(withPod(podSpec));
      await expect(registry.provision()).rejects.toMatchObject({
        type: 'InvalidPodTemplateSpec',
        nonRetryable: true,
        message: expect.stringMatching(words),
      });
      // Only the ConfigMap is written, because the configuration contains the generation.
      expect(written(before, await registry.versions())).toEqual(['ConfigMap/tools-registry-server-config']);
    },
  );

  it('with unknown fields is applied without them, which is reported', async () => {
    const registry = await provisioned(
      withPod({
        nodeSelektor: { a: 'b' },
        containers: [{ name: 'registry-api', imagee: 'x', env: [{ name: 'A', valu: '1' }] }],
      }),
    );
    expect((await registry.provision()).warnings).toEqual([
      {
        reason: 'UnknownFields',
        message:
          'podTemplateSpec has fields that do not exist: spec.containers[name="registry-api"].env[name="A"].valu, spec.containers[name="registry-api"].imagee, spec.nodeSelektor',
      },
    ]);
    expect((await deployment(registry)).spec.template.spec).not.toHaveProperty('nodeSelektor');
  });
});

describe('a claim', () => {
  it('that does not exist is left out of the pod, and mounted as soon as it exists', async () => {
    const registry = await provisioned({ registries: [shared] });
    const volumes = async () => (await deployment(registry)).spec.template.spec.volumes.map(({ name }) => name);
    expect(await volumes()).not.toContain('registry-data-source-shared');
    const planned = await registry.desired();
    await claim('ReadWriteMany');
    expect((await registry.desired())?.provision?.digest).not.toBe(planned?.provision?.digest);
    await registry.provision();
    expect(await volumes()).toContain('registry-data-source-shared');
  });

  it('that only one node can mount makes the new pod wait for the old one, as long as it is used', async () => {
    const registry = await provisioned({ registries: [local] });
    const strategy = async () => (await deployment(registry)).spec.strategy;
    expect(await strategy()).toMatchObject({ type: 'RollingUpdate' });
    await claim('ReadWriteOnce');
    await registry.edit({ registries: [local, shared] });
    await registry.provision();
    expect(await strategy()).toEqual({ type: 'Recreate' });
    await registry.edit({ registries: [local] });
    await registry.provision();
    expect(await strategy()).toMatchObject({ type: 'RollingUpdate' });
  });
});

describe('a configYAML', () => {
  const configYAML =
    '# as I wrote it\nauth:\n  mode: anonymous\nregistries:\n  - name: x\n    file: {path: /mine/r.json}\n';

  it('is stored unchanged, with its volumes and pull secrets', async () => {
    const registry = await provisioned({
      configYAML,
      volumes: [{ name: 'mine', configMap: { name: 'm' } }],
      volumeMounts: [{ name: 'mine', mountPath: '/mine' }],
      pgpassSecretRef: { name: 'ready', key: 'pgpass' },
      imagePullSecrets: [{ name: 'own' }],
    });
    expect(await registry.find('ConfigMap', 'tools-registry-server-config')).toMatchObject({
      data: { 'config.yaml': configYAML },
    });
    const pullSecrets = [{ name: 'own' }, ...settings.imagePullSecrets.map((name) => ({ name }))];
    expect(await registry.find('ServiceAccount', 'tools-registry-api')).toMatchObject({
      imagePullSecrets: pullSecrets,
    });
    const { spec } = await deployment(registry);
    expect(spec.template.spec).toMatchObject({ imagePullSecrets: pullSecrets });
    expect(spec.template.spec.volumes.map(({ name }) => name)).toEqual(expect.arrayContaining(['mine', 'pgpass']));
    expect(await registry.find('Secret', 'tools-db-pgpass')).toBeUndefined();
  });

  it('is rejected as a whole, with the line, before anything is created', async () => {
    const registry = await ProvisionedRegistry.create(api, namespace, {
      configYAML: `${configYAML}  - name: y\n    fille: {}\n`,
    });
    expect((await registry.desired())?.invalid).toMatch(/spec\.configYAML: line \d+: .*fille/);
    await expect(registry.provision()).rejects.toMatchObject({ type: 'ValidationFailed', nonRetryable: true });
    expect(await registry.versions()).toEqual({});
  });

  it('is rejected with a volume that the API server does not know', async () => {
    const volumes = [{ name: 'mine', configMap: 'm' }];
    const registry = await ProvisionedRegistry.create(api, namespace, { configYAML, volumes });
    await expect(registry.provision()).rejects.toMatchObject({ type: 'ValidationFailed', nonRetryable: true });
  });
});

describe('read-only servers', () => {
  const READERS = [
    ['Deployment', 'tools-api-readers'],
    ['Service', 'tools-api-writer'],
  ] as const;
  const withReaders = (readers: number, spec: object = whole) => ({ ...spec, server: { readers } });
  const find = (registry: ProvisionedRegistry) => registry.find<Deployment>('Deployment', 'tools-api-readers');

  it('are created with the spec, belong to the registry, are written once, and are deleted with the spec', async () => {
    const registry = await provisioned(withReaders(3));
    for (const [kind, name] of READERS) {
      expect((await registry.find(kind, name))!.metadata).toMatchObject({
        labels: { 'app.kubernetes.io/instance': 'tools' },
        ownerReferences: [{ kind: 'MCPRegistry', uid: registry.ref.uid, controller: true }],
      });
    }
    expect((await find(registry))!.spec.replicas).toBe(3);
    const versions = () =>
      Promise.all(READERS.map(async ([kind, name]) => (await registry.find(kind, name))!.metadata.resourceVersion));
    const [before, server] = [await versions(), await deployment(registry)];
    await registry.provision();
    expect(await versions()).toEqual(before);
    await registry.edit(whole);
    await registry.provision();
    for (const [kind, name] of READERS) expect(await registry.find(kind, name)).toBeUndefined();
    expect((await deployment(registry)).metadata.resourceVersion).toBe(server.metadata.resourceVersion);
  });

  it.each(READERS)('get their %s %s back when it is deleted', async (kind, name) => {
    const registry = await provisioned(withReaders(1));
    await api.delete(kind, { namespace, name });
    await registry.provision();
    expect(await registry.find(kind, name)).toBeDefined();
  });

  it('have the number in the spec, even after their Deployment is scaled', async () => {
    const registry = await provisioned(withReaders(2));
    await somebodyApplies('apps/v1', 'Deployment', 'tools-api-readers', { spec: { replicas: 9 } });
    await registry.provision();
    expect((await find(registry))!.spec.replicas).toBe(2);
  });

  it('are scaled by the scale subresource of the MCPRegistry, as autoscalers do', async () => {
    const registry = await provisioned(withReaders(2));
    const transport = new HttpTransport(adminAccess(await sharedApiServer()));
    const path = `${pathOf('MCPRegistry', namespace, 'tools')}/scale`;
    expect(await transport.call({ method: 'GET', path, attempt: 'read' })).toMatchObject({ spec: { replicas: 2 } });
    const body = { contentType: 'application/merge-patch+json', value: { spec: { replicas: 7 } } };
    await transport.call({ method: 'PATCH', path, body, attempt: 'scale' });
    await transport.close();
    await registry.provision();
    expect((await find(registry))!.spec.replicas).toBe(7);
  });

  it('are reported and not created if the data is in the pod of the server', async () => {
    const registry = await ProvisionedRegistry.create(api, namespace, withReaders(2, { registries: [local] }));
    const { warnings } = await registry.provision();
    expect(warnings).toContainEqual(expect.objectContaining({ reason: 'ReadersNeedDatabase' }));
    for (const [kind, name] of READERS) expect(await registry.find(kind, name)).toBeUndefined();
  });

  it('are never those of another owner', async () => {
    const labels = { app: 'x' };
    await somebodyApplies('apps/v1', 'Deployment', 'tools-api-readers', {
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } },
      },
    });
    const registry = await provisioned();
    expect(await find(registry)).toBeDefined();
    await registry.edit(withReaders(1));
    await expect(registry.provision()).rejects.toThrow(/Deployment .*tools-api-readers/);
  });
});

describe('a NetworkPolicy', () => {
  const peers = { clients: [], metrics: [{ namespaceSelector: { matchLabels: { team: 'monitoring' } } }] };
  const closed = { settings: { ...settings, networkPolicy: peers } };
  const find = (registry: ProvisionedRegistry) =>
    registry.find<KubernetesObject & { spec: { ingress: object[]; podSelector: object } }>(
      'NetworkPolicy',
      'tools-api',
    );

  it('denies all traffic to the pods of a registry except to its API, declared ports and metrics', async () => {
    const podTemplateSpec = { spec: { containers: [{ name: 'p', image: 'p', ports: [{ containerPort: 9000 }] }] } };
    const registry = await ProvisionedRegistry.create(api, namespace, { podTemplateSpec }, api, closed);
    await registry.provision();
    expect((await find(registry))?.spec).toMatchObject({
      podSelector: {
        matchLabels: { 'app.kubernetes.io/name': 'tools-api', 'app.kubernetes.io/component': 'registry-api' },
      },
      ingress: [
        {
          ports: [
            { protocol: 'TCP', port: 8080 },
            { protocol: 'TCP', port: 9000 },
          ],
        },
        { from: peers.metrics, ports: [{ protocol: 'TCP', port: 8081 }] },
      ],
    });
  });

  it('is deleted when the operator is configured to create none, unless it has another owner', async () => {
    const before = await ProvisionedRegistry.create(api, namespace, {}, api, closed);
    await before.provision();
    const after = await ProvisionedRegistry.create(api, namespace, {});
    await after.provision();
    expect(await find(after)).toBeUndefined();
    await somebodyApplies('networking.k8s.io/v1', 'NetworkPolicy', 'tools-api', { spec: { podSelector: {} } });
    await after.provision();
    expect(await find(after)).toBeDefined();
  });
});

describe('a LimitRange', () => {
  it('admits the pod with a database when it admits the configured resources', async () => {
    const limits = [{ type: 'Container', min: { cpu: '50m', memory: '64Mi' }, maxLimitRequestRatio: { cpu: '5' } }];
    await somebodyApplies('v1', 'LimitRange', 'limits', { spec: { limits } });
    await passwords();
    const registry = await ProvisionedRegistry.create(api, namespace, whole);
    await registry.provision();
    const { spec } = (await registry.find<Deployment>('Deployment', 'tools-api'))!;
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name: 'x' }, spec: spec.template.spec };
    const admitted = await api.dryRunApply(pod as unknown as KubernetesObject);
    expect(admitted.metadata.name).toBe('x');
  });
});

describe('the exposure outside the cluster', () => {
  const exposure = {
    kind: 'Ingress' as const,
    host: '{name}.{namespace}.example.com',
    annotations: { 'cert-manager.io/cluster-issuer': 'ours' },
    ingressClassName: 'public',
    tls: { enabled: true, secretName: '{name}-tls' },
    parentRefs: [],
  };

  it('is an Ingress with the host and the certificate of the registry, and is deleted when it is disabled', async () => {
    const open = { settings: { ...settings, exposure } };
    const registry = await ProvisionedRegistry.create(api, namespace, {}, api, open);
    await registry.provision();
    expect(await registry.find('Ingress', 'tools-api')).toMatchObject({
      metadata: { annotations: { 'cert-manager.io/cluster-issuer': 'ours' } },
      spec: {
        ingressClassName: 'public',
        rules: [{ host: `tools.${namespace}.example.com` }],
        tls: [{ hosts: [`tools.${namespace}.example.com`], secretName: 'tools-tls' }],
      },
    });
    await (await ProvisionedRegistry.create(api, namespace, {})).provision();
    expect(await registry.find('Ingress', 'tools-api')).toBeUndefined();
  });

  it('is an HTTPRoute for the Gateways, and is deleted when it is disabled', async () => {
    const parentRefs = [{ name: 'public', namespace: 'gateways' }];
    const open = { settings: { ...settings, exposure: { ...exposure, kind: 'HTTPRoute' as const, parentRefs } } };
    const registry = await ProvisionedRegistry.create(api, namespace, {}, api, open);
    await expect(registry.provision()).rejects.toMatchObject({
      type: 'ServiceFailed',
      message: expect.stringContaining('does not know this kind; install its CustomResourceDefinition'),
    });
    await using _crd = await installRouteCrd(api);
    await registry.provision();
    expect(await registry.find('HTTPRoute', 'tools-api')).toMatchObject({
      spec: { parentRefs, hostnames: [`tools.${namespace}.example.com`] },
    });
    await (
      await ProvisionedRegistry.create(api, namespace, {}, api, { settings: { ...settings, exposure } })
    ).provision();
    expect(await registry.find('HTTPRoute', 'tools-api')).toBeUndefined();
    expect(await registry.find('Ingress', 'tools-api')).toBeDefined();
    await (await ProvisionedRegistry.create(api, namespace, {})).provision();
    expect(await registry.find('Ingress', 'tools-api')).toBeUndefined();
  });
});
