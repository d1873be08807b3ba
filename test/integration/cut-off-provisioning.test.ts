import { afterAll, beforeAll, expect, it } from 'vitest';
import { registryActivities } from '#activities/index.js';
import { leaveNamespace } from '#activities/provision/leave-namespace.js';
import { NAMESPACE_LABEL, names } from '#activities/provision/desired/naming.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { FINALIZER, KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import { withClient } from '#persistence/database-client.js';
import { defaultDatabaseSpec } from '#spec/default-database.js';
import { asActivity } from '#support/activity-context.js';
import { adminAccess } from '#support/api-server.js';
import { CutOff, CutOffPostgres } from '#support/cut-off.js';
import { createNamespace } from '#support/namespace.js';
import { OPERATOR_ACCESS } from '#support/operator-manifest.js';
import { CHILDREN, ProvisionedRegistry, settings } from '#support/provisioned-registry.js';
import { sharedApiServer } from '#support/shared-api-server.js';
import { startTcpPostgres } from '#support/tcp-postgres.js';
import { UnreliableProxy } from '#api-server/unreliable-proxy.js';

/** Provisioning and teardown send more requests than these. Fewer points would show that the proxy does not see them. */
const LEAST_POINTS = { provision: 30, tearDown: 6 };

const spec = { registries: [{ name: 's', configMapRef: { name: 'catalogue', key: 'registry.json' } }] };

const cutOff = new CutOff();
const ends = new AsyncDisposableStack();
/** The client of the test, which is never cut off. */
let api: HttpKubernetesApi;
/** The client of the activities. */
let operator: HttpKubernetesApi;
let site: Parameters<typeof ProvisionedRegistry.create>[4];

beforeAll(async () => {
  const postgres = ends.use(await startTcpPostgres());
  await postgres.setUp({ hba: ['host all all 127.0.0.1/32 scram-sha-256'] });
  await postgres.asSuperuser((client) =>
    client.query("CREATE ROLE mcp_registry_operator LOGIN CREATEROLE CREATEDB PASSWORD 'admin'"),
  );
  const { port } = ends.use(await CutOffPostgres.before({ host: '127.0.0.1', port: postgres.port }, cutOff));
  const server = { host: '127.0.0.1', port, sslMode: 'disable' as const };
  const defaultDatabase = defaultDatabaseSpec.parse(server);
  const { adminUser: user, adminDatabase: database } = defaultDatabase;
  site = {
    settings: { ...settings, defaultDatabase },
    databaseAdmin: async () => ({ ...server, user, database, password: 'admin' }),
    access: OPERATOR_ACCESS,
  };
  const apiServer = adminAccess(await sharedApiServer());
  const proxy = ends.use(await UnreliableProxy.before(apiServer));
  proxy.decide = () => (cutOff.pass() ? 'none' : 'cut');
  api = new HttpKubernetesApi(apiServer);
  ends.defer(() => api.close());
  operator = new HttpKubernetesApi(proxy.access);
  ends.defer(() => operator.close());
});

afterAll(() => ends.disposeAsync());

const create = async () => ProvisionedRegistry.create(api, await createNamespace(api), spec, operator, site);

/**
 * Runs a step once for each of its messages, cut off before that message, and once undisturbed. Returns the number of
 * times.
 */
async function atEveryPoint(work: (point: number) => Promise<(() => Promise<unknown>)[]>): Promise<number> {
  for (let points = 0; ; points++) {
    const steps = await work(points + 1);
    cutOff.before(points + 1);
    for (const step of steps) {
      await cutOff.survive(step).catch((error: unknown) => {
        throw new Error(`killed before message ${points + 1}`, { cause: error });
      });
    }
    const wasReached = cutOff.left === Infinity;
    cutOff.heal();
    if (!wasReached) return points;
  }
}

it('an operator that is killed before any message of provisioning leaves a registry that the next one completes', async () => {
  let before: ProvisionedRegistry | undefined;
  const check = async (registry: ProvisionedRegistry, point: number): Promise<void> => {
    const versions = await registry.versions();
    expect(Object.keys(versions), `killed before message ${point}`).toEqual(
      CHILDREN.map(([kind, name]) => `${kind}/${name}`),
    );
    const secret = await registry.find<KubernetesObject & { data: Record<string, string> }>(
      'Secret',
      'tools-db-pgpass',
    );
    const line = Buffer.from(secret!.data['.pgpass']!, 'base64').toString().trimEnd();
    const [host = '', port, database = '', user = '', password = ''] = line.split(':');
    await withClient({ host, port: Number(port), database, user, password, sslMode: 'disable' }, async (client) => {
      await client.query('CREATE TABLE mine ()');
    });
    // A complete registry needs no further write.
    await registry.provision();
    expect(await registry.versions(), `killed before message ${point}`).toEqual(versions);
  };
  const points = await atEveryPoint(async (point) => {
    if (before) await check(before, point - 1);
    const registry = await create();
    before = registry;
    return [() => registry.desired(), () => registry.provision()];
  });
  await check(before!, points + 1);
  expect(points).toBeGreaterThan(LEAST_POINTS.provision);
});

it('an operator that is killed before any message of a teardown leaves a registry that the next one releases', async () => {
  let before: ProvisionedRegistry | undefined;
  const resources = new KubernetesResourceStore(operator);
  const { tearDown } = registryActivities({
    resources,
    minSyncIntervalMs: 1_000,
    unprovision: (registry) => leaveNamespace({ api: operator, access: OPERATOR_ACCESS }, registry),
  });
  const check = async ({ ref }: ProvisionedRegistry, point: number): Promise<void> => {
    const namespace = await api.get('Namespace', '', ref.namespace);
    const left = {
      registry: await api.get('MCPRegistry', ref.namespace, ref.name),
      binding: await api.get('RoleBinding', ref.namespace, names.operator(ref.name)),
      label: namespace?.metadata.labels?.[NAMESPACE_LABEL],
    };
    expect(left, `killed before message ${point}`).toEqual({});
  };
  const points = await atEveryPoint(async (point) => {
    if (before) await check(before, point - 1);
    const registry = await create();
    before = registry;
    await api.patchFinalizers('MCPRegistry', registry.ref, { add: FINALIZER });
    await registry.desired();
    await api.delete('MCPRegistry', registry.ref);
    return [() => asActivity(registry.ref, () => tearDown(registry.ref))];
  });
  await check(before!, points + 1);
  expect(points).toBeGreaterThan(LEAST_POINTS.tearDown);
});
