import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { names, REGISTRY_LABEL } from '#activities/provision/desired/naming.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { kinds, pathOf } from '#kubernetes/kinds.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { ClusterWatcher } from '#operator/watch/cluster-watcher.js';
import { accessAs, adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { startOperator } from '#support/running-operator.js';
import { sharedApiServer } from '#support/shared-api-server.js';

/** Objects that another tenant writes to the API server must not stop, blind or mislead the watcher. */

const OPERATOR = 'restricted-operator';

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let asOperator: HttpKubernetesApi;
let role: KubernetesObject;
let victim: string;
let attacker: string;
let watcher: ClusterWatcher | undefined;
let changes: string[];
let workloads: string[];
let troubles: string[];

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
  asOperator = new HttpKubernetesApi(accessAs(address, OPERATOR));
  role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: OPERATOR },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
  } as KubernetesObject;
  await api.apply(role);
});

beforeEach(async () => {
  [victim, attacker] = [await createNamespace(api), await createNamespace(api)];
  changes = [];
  workloads = [];
  troubles = [];
});

afterEach(() => watcher?.stop());

afterAll(async () => {
  await asOperator.close();
  await api.close();
});

function watch(through = api): ClusterWatcher {
  watcher = new ClusterWatcher({
    api: through,
    namespaces: [victim, attacker],
    onChange: (registry, { drift }) => void changes.push(`${displayRef(registry)}${drift ? ' drifted' : ''}`),
    onWorkload: (registry) => void workloads.push(displayRef(registry)),
    onTrouble: ({ kind, namespace }, error, object) =>
      void troubles.push(`${kind} ${object ? displayRef(object) : namespace}: ${(error as Error).message}`),
    pace: { firstMs: 50, longestMs: 200 },
  });
  return watcher;
}

const { apiVersion } = kinds.MCPRegistry;
const SPEC = {
  auth: { mode: 'anonymous' },
  registries: [{ name: 's', configMapRef: { name: 'catalogue', key: 'k' } }],
};

async function createRegistry(namespace: string, name: string, spec: object = SPEC): Promise<RegistryRef> {
  const object = { apiVersion, kind: 'MCPRegistry', metadata: { namespace, name }, spec };
  const { metadata } = await api.create(object as KubernetesObject);
  return { namespace, name, uid: metadata.uid as string };
}

/** Sends raw JSON, because no library here can write JSON that is nested as deeply as the API server accepts. */
async function createRaw(namespace: string, json: string): Promise<void> {
  const { headers, tls } = await adminAccess(address).credentials();
  const dispatcher = new Agent({ connect: tls });
  const { statusCode, body } = await request(`${address.server}${pathOf('MCPRegistry', namespace)}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: json,
    dispatcher,
  });
  const answer = await body.text();
  await dispatcher.close();
  if (statusCode !== 201) throw new Error(`${statusCode} ${answer.slice(0, 500)}`);
}

const edit = (namespace: string, name: string, data: object = { k: String(Math.random()) }) =>
  api.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data } as KubernetesObject, {
    fieldManager: 'somebody',
  });

const changed = (change: string) => eventually(() => (changes.includes(change) ? true : undefined));

describe('one poisoned object among a thousand', () => {
  const DEPTH = 8_000;
  const deep = `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`;
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, at) => [`k${at}`, at])));
  const head = (name: string) => `"apiVersion":"${apiVersion}","kind":"MCPRegistry","metadata":{"name":"${name}"}`;
  const withTemplate = (name: string, template: string) =>
    createRaw(victim, `{${head(name)},"spec":{"auth":{"mode":"anonymous"},"podTemplateSpec":${template}}}`);
  const withConfig = async (name: string, configYAML: string) =>
    void (await createRegistry(victim, name, { configYAML }));

  /** One of each kind that the review mentions, and some more. */
  const POISONS: Readonly<Record<string, () => Promise<void>>> = {
    deep: () => withTemplate('deep', deep),
    wide: () => withTemplate('wide', wide),
    aliases: () => withConfig('aliases', `a: &a [${'[],'.repeat(15_000)}]\nb: [${'*a,'.repeat(99)}]`),
    'deep-yaml': () => withConfig('deep-yaml', '['.repeat(30_000) + ']'.repeat(30_000)),
    keys: () =>
      withConfig(
        'keys',
        Array.from({ length: 9_000 }, (_, at) => `k${at}: v`)
          .join('\n')
          .slice(0, 65_000),
      ),
    'no-yaml': () => withConfig('no-yaml', '\u0001\u0002{[\t'.repeat(9_000)),
    names: () => withConfig('names', '__proto__: { toString: 1 }\nconstructor: { prototype: [] }'),
  };

  it('delays the others, and keeps none of them from being seen and told', async () => {
    const count = 1_000;
    const all = Array.from({ length: count }, (_, at) => `r${String(at).padStart(4, '0')}`);
    for (let at = 0; at < count; at += 50)
      await Promise.all(all.slice(at, at + 50).map((name) => createRegistry(victim, name)));
    const { synced, index } = watch();
    await synced;
    // Each object is reported once when first seen, in the order of the list, and once more when every watch has been
    // answered.
    await eventually(() => (changes.length >= 2 * count ? true : undefined));
    const [drifted, renewed] = [changes.slice(0, count), changes.slice(count)];
    expect(drifted).toEqual(all.map((name) => `${victim}/${name} drifted`));
    expect(renewed).toEqual(all.map((name) => `${victim}/${name}`));

    const delays: Record<string, number> = {};
    for (const [poison, create] of Object.entries(POISONS)) {
      changes.length = 0;
      await create();
      const startedAtMs = performance.now();
      await createRegistry(victim, `after-${poison}`);
      await changed(`${victim}/after-${poison} drifted`);
      delays[poison] = Math.round(performance.now() - startedAtMs);
      // The same watch delivers both, the poisoned object first.
      expect(changes).toEqual([`${victim}/${poison} drifted`, `${victim}/after-${poison} drifted`]);
    }
    changes.length = 0;
    await edit(victim, 'catalogue');
    const others = [...all, ...Object.keys(POISONS).map((poison) => `after-${poison}`)];
    await eventually(() => (changes.length >= others.length ? true : undefined));
    expect(changes.toSorted()).toEqual(others.map((name) => `${victim}/${name}`).toSorted());
    expect(index.size).toBe(others.length + Object.keys(POISONS).length);
    expect(troubles).toEqual([]);

    // A watcher that finds all poisoned objects in its first list sees the same.
    await watcher!.stop();
    const startedAtMs = performance.now();
    await watch().synced;
    delays['all at the start'] = Math.round(performance.now() - startedAtMs);
    expect(watcher!.index.size).toBe(others.length + Object.keys(POISONS).length);
    process.stdout.write(
      `one poisoned object among a thousand, ms until the next is seen: ${JSON.stringify(delays)}\n`,
    );
  });
});

describe('an object with a false owner', () => {
  const owned = (
    kind: 'ConfigMap' | 'Service' | 'Deployment',
    namespace: string,
    owner: RegistryRef,
    fields: object,
  ) => ({
    apiVersion: kinds[kind].apiVersion,
    kind,
    metadata: {
      namespace,
      name: names.server(owner.name),
      labels: { 'app.kubernetes.io/managed-by': 'toolhive-operator', [REGISTRY_LABEL]: owner.name },
      finalizers: ['example.com/stay'],
      ownerReferences: [{ apiVersion, kind: 'MCPRegistry', name: owner.name, uid: owner.uid, controller: true }],
    },
    ...fields,
  });
  const labels = { x: 'y' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
  const KINDS = [
    ['ConfigMap', { data: { a: 'b' } }],
    ['Service', { spec: { ports: [{ port: 80 }] } }],
    ['Deployment', { spec: { selector: { matchLabels: labels }, template } }],
  ] as const;

  it.each<[string, (registry: RegistryRef) => readonly [string, RegistryRef]]>([
    ['in another namespace', (registry) => [attacker, registry]],
    ['of another name', (registry) => [victim, { ...registry, name: 'other' }]],
    [
      'of a registry that is gone',
      (registry) => [victim, { ...registry, uid: '2f9c0f3e-6f0d-4b8c-9d0c-9a8f3f7f4f10' }],
    ],
  ])('%s concerns no registry, at first sight and later', async (_, falsify) => {
    const registry = await createRegistry(victim, 'reg');
    const { synced } = watch();
    await synced;
    await changed(`${victim}/reg`);
    const facts = watcher!.workloadOf(registry);
    changes.length = workloads.length = 0;

    const [namespace, owner] = falsify(registry);
    for (const [kind, fields] of KINDS) await api.create(owned(kind, namespace, owner, fields) as KubernetesObject);
    await watcher!.stop();
    await watch().synced;
    for (const [kind] of KINDS) await api.delete(kind, { namespace, name: names.server(owner.name) });
    // When this later change has been seen, all earlier events have been seen, too.
    await edit(victim, 'catalogue');
    await changed(`${victim}/reg`);

    expect(workloads).toEqual([]);
    expect(changes.filter((change) => change.startsWith(`${victim}/reg`) && change.endsWith('drifted'))).toHaveLength(
      1,
    );
    expect(changes.filter((change) => !change.startsWith(`${victim}/reg`))).toEqual([]);
    expect(watcher!.workloadOf(registry)).toEqual(facts);
  });
});

describe('a namespace that the operator may not see', () => {
  const bind = (namespace: string) =>
    api.apply({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { namespace, name: 'operator' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role.metadata.name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: OPERATOR }],
    } as KubernetesObject);

  it('does not keep it from seeing the others, and is seen once it may be', async () => {
    await bind(victim);
    await eventually(() =>
      asOperator.list('Secret', { namespace: victim }).then(
        () => true,
        () => undefined,
      ),
    );
    await createRegistry(victim, 'reg');
    await createRegistry(attacker, 'hidden');
    const { synced } = watch(asOperator);
    await synced;
    expect([watcher!.sees(victim), watcher!.sees(attacker)]).toEqual([true, false]);
    expect(new Set(watcher!.watchesIn('refused').map(({ namespace }) => namespace))).toEqual(new Set([attacker]));
    await changed(`${victim}/reg`);
    changes.length = 0;
    await edit(victim, 'catalogue');
    await changed(`${victim}/reg`);

    await bind(attacker);
    await changed(`${attacker}/hidden drifted`);
    await eventually(() => (watcher!.watchesIn('refused').length === 0 ? true : undefined));
    changes.length = 0;
    await edit(attacker, 'catalogue');
    await changed(`${attacker}/hidden`);
  });

  it('does not keep the operator from being ready; it says what it may not see', async () => {
    await bind(victim);
    await eventually(() =>
      asOperator.list('Secret', { namespace: victim }).then(
        () => true,
        () => undefined,
      ),
    );
    const { operator, stop } = await startOperator({
      access: accessAs(address, OPERATOR),
      namespaces: [victim, attacker],
      temporalAddress: inject('temporalAddress'),
      release: `hostile-objects-${victim}`,
    });
    try {
      const ask = async (port: number, path: string) => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`);
        return { status: response.status, text: await response.text() };
      };
      const { healthPort, metricsPort } = operator.ports;
      const ready = await eventually(async () => {
        const answer = await ask(healthPort, '/readyz');
        return answer.status === 200 ? answer : undefined;
      });
      expect(ready.text).toContain(`refuses to list Secret in namespace ${attacker}`);
      expect(ready.text).not.toContain(victim);
      const { text } = await ask(metricsPort, '/metrics');
      expect(text).toContain(`mcp_operator_watch_refused{kind="Secret",namespace="${attacker}"} 1`);
    } finally {
      await stop();
    }
  });
});
