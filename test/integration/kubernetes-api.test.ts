import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findClusterId } from '#kubernetes/cluster-id.js';
import { inClusterAccess } from '#kubernetes/in-cluster.js';
import { kubeconfigAccess } from '#kubernetes/kubeconfig.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { KubernetesObject, ObjectRef } from '#kubernetes/kubernetes-object.js';
import { accessAs, adminAccess } from '#support/api-server.js';
import type { ApiServerAddress } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { sharedApiServer } from '#support/shared-api-server.js';

interface ConfigMap extends KubernetesObject {
  readonly data?: Record<string, string>;
}

let address: ApiServerAddress;
let api: HttpKubernetesApi;
let namespace: string;

beforeAll(async () => {
  address = await sharedApiServer();
  api = new HttpKubernetesApi(adminAccess(address));
});

beforeEach(async () => {
  namespace = await createNamespace(api);
});

afterAll(() => api.close());

function configMap(name: string, data: Record<string, string>, metadata: object = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ...metadata }, data };
}

function refTo({ metadata: { name, uid } }: KubernetesObject): ObjectRef {
  return { namespace, name, uid: uid! };
}

describe('server-side apply', () => {
  it('creates and changes objects, and writes nothing if nothing differs', async () => {
    const created = await api.apply(configMap('a', { one: '1', two: '2' }));
    const same = await api.apply(configMap('a', { one: '1', two: '2' }));
    expect(same.metadata.resourceVersion).toBe(created.metadata.resourceVersion);

    await api.apply(configMap('a', { one: '1' }));
    expect((await api.get<ConfigMap>('ConfigMap', namespace, 'a'))?.data).toEqual({ one: '1' });
  });

  it("takes over its own fields and does not touch others'", async () => {
    await api.apply(configMap('a', { ours: 'theirs', theirs: 'theirs' }), { fieldManager: 'somebody' });
    await api.apply(configMap('a', { ours: 'ours' }));
    expect((await api.get<ConfigMap>('ConfigMap', namespace, 'a'))?.data).toEqual({ ours: 'ours', theirs: 'theirs' });
  });

  it('reports what it would do without doing it', async () => {
    const dry = await api.dryRunApply(configMap('a', { one: '1' }));
    expect(dry.metadata.uid).toBeDefined();
    expect(await api.get('ConfigMap', namespace, 'a')).toBeUndefined();
  });

  it('rejects an object with another uid, and does not create it', async () => {
    const uid = '00000000-0000-4000-8000-000000000000';
    await expect(api.apply(configMap('a', {}, { uid }))).rejects.toMatchObject({ code: 409, destiny: 'retry' });
    await api.apply(configMap('a', {}));
    await expect(api.apply(configMap('a', {}, { uid }))).rejects.toThrow('uid');
  });

  it("returns the server's message unchanged", async () => {
    const refusal = api.apply(configMap('Not_A_Name', {}));
    await expect(refusal).rejects.toBeInstanceOf(KubernetesRefusal);
    await expect(refusal).rejects.toMatchObject({
      reason: 'KubernetesRefused',
      destiny: 'wait',
      code: 422,
      message: expect.stringMatching(/^apply ConfigMap \S+\/Not_A_Name: .*a lowercase RFC 1123 subdomain/),
    });
  });

  it('reports who lacks which right', async () => {
    const nobody = new HttpKubernetesApi(accessAs(address, 'system:serviceaccount:x:nobody'));
    await expect(nobody.apply(configMap('a', {}))).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining('system:serviceaccount:x:nobody'),
    });
    await nobody.close();
  });
});

describe('a derivation', () => {
  it('is computed once for each version of an object, for those who may read the object', async () => {
    await api.apply(configMap('a', { one: '1' }));
    let made = 0;
    const values = (as: HttpKubernetesApi, what = 'one') =>
      as.derived<ConfigMap, string | undefined>({ kind: 'ConfigMap', namespace, name: 'a' }, what, ({ data }) => {
        made++;
        return data?.[what];
      });
    expect([await values(api), await values(api), made]).toEqual(['1', '1', 1]);
    expect([await values(api, 'two'), made]).toEqual([undefined, 2]);
    await api.apply(configMap('a', { one: '2' }));
    expect([await values(api), await values(api), made]).toEqual(['2', '2', 3]);
    const nobody = api.actingAs({ namespace, name: 'nobody' }) as HttpKubernetesApi;
    await expect(values(nobody)).rejects.toMatchObject({ code: 403 });
    await api.delete('ConfigMap', { namespace, name: 'a' });
    expect([await values(api), made]).toEqual([undefined, 3]);
    await api.apply(configMap('a', { one: '3' }));
    expect([await values(api), made]).toEqual(['3', 4]);
  });
});

describe('lists', () => {
  it('have pages of limited size, however large users make the objects', async () => {
    const large = 'x'.repeat(900_000);
    const names = Array.from({ length: 30 }, (_each, index) => `large-${String(index).padStart(2, '0')}`);
    await Promise.all(names.map((name) => api.apply(configMap(name, { large }))));
    const found: string[] = [];
    for await (const { items } of api.pages<ConfigMap>('ConfigMap', { namespace })) {
      expect(JSON.stringify(items).length).toBeLessThan(8 * 1024 * 1024);
      found.push(...items.map(({ metadata }) => metadata.name));
    }
    expect(found).toEqual(names);
  });

  it('have pages of limited size for metadata-only requests', async () => {
    const keys = Object.fromEntries(Array.from({ length: 20_000 }, (_each, index) => [`k${index}`, '']));
    const names = Array.from({ length: 25 }, (_each, index) => `keyed-${String(index).padStart(2, '0')}`);
    for (const name of names) await api.apply(configMap(name, keys));
    const found: string[] = [];
    for await (const { items } of api.pages<ConfigMap>('ConfigMap', { namespace, metadataOnly: true })) {
      expect(JSON.stringify(items).length).toBeLessThan(8 * 1024 * 1024);
      found.push(...items.map(({ metadata }) => metadata.name));
    }
    expect(found).toEqual(names);
  });

  it('have one page in memory at a time', async () => {
    await api.apply(configMap('only', {}));
    let open = 0;
    const read = async () => {
      for await (const { items } of api.pages<ConfigMap>('ConfigMap', { namespace })) {
        expect([items.length, ++open]).toEqual([1, 1]);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
      }
    };
    await Promise.all(Array.from({ length: 5 }, read));
  });

  it('may be empty, in any form', async () => {
    expect((await api.list('ConfigMap', { namespace })).items).toEqual([]);
    expect((await api.list('ConfigMap', { namespace, metadataOnly: true })).items).toEqual([]);
  });

  it('contain every object of many pages once', async () => {
    const names = Array.from({ length: 600 }, (_, index) => `c${index}`);
    await Promise.all(names.map((name) => api.apply(configMap(name, { x: 'y' }, { labels: { kind: 'many' } }))));
    const { items, resourceVersion } = await api.list<ConfigMap>('ConfigMap', {
      namespace,
      labelSelector: 'kind=many',
      metadataOnly: true,
    });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(names.sort());
    expect(items[0]?.data).toBeUndefined();
    expect(Number(resourceVersion)).toBeGreaterThan(0);
  });
});

describe('watches', () => {
  it('report what happened since a list, in order', async () => {
    await api.apply(configMap('a', { one: '1' }));
    const { resourceVersion } = await api.list('ConfigMap', { namespace });
    await api.apply(configMap('a', { one: '2' }));
    await api.delete('ConfigMap', { namespace, name: 'a' });
    const events: [string, string | undefined][] = [];
    const options = { namespace, resourceVersion, timeoutSeconds: 30, silenceMs: 20_000 };
    for await (const { type, object } of api.watch<ConfigMap>('ConfigMap', options)) {
      events.push([type, object.data?.['one']]);
      if (type === 'DELETED') break;
    }
    expect(events).toEqual([
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ]);
  });

  it('end when requested', async () => {
    const { resourceVersion } = await api.list('ConfigMap', { namespace });
    const stop = new AbortController();
    const options = { namespace, resourceVersion, timeoutSeconds: 60, silenceMs: 60_000, signal: stop.signal };
    const watching = Array.fromAsync(api.watch('ConfigMap', options));
    stop.abort();
    await expect(watching).rejects.toThrow('abort');
  });
});

describe('finalizers', () => {
  it('delay the deletion of an object until they are removed, and are written only once', async () => {
    const object = refTo(await api.apply(configMap('a', {})));
    await api.patchFinalizers('ConfigMap', object, { add: 'example.com/mine' });
    const held = await api.get('ConfigMap', namespace, 'a');
    await api.patchFinalizers('ConfigMap', object, { add: 'example.com/mine' });
    expect(await api.get('ConfigMap', namespace, 'a')).toEqual(held);

    await api.delete('ConfigMap', object);
    expect((await api.get('ConfigMap', namespace, 'a'))?.metadata.deletionTimestamp).toBeDefined();
    await api.patchFinalizers('ConfigMap', object, { remove: 'example.com/mine' });
    expect(await api.get('ConfigMap', namespace, 'a')).toBeUndefined();
    await api.patchFinalizers('ConfigMap', object, { remove: 'example.com/mine' });
  });

  it('survive concurrent changes by other writers', async () => {
    const object = refTo(await api.apply(configMap('a', {})));
    const names = Array.from({ length: 8 }, (_, index) => `example.com/f${index}`);
    await Promise.all(names.map((add) => api.patchFinalizers('ConfigMap', object, { add })));
    const { metadata } = (await api.get('ConfigMap', namespace, 'a'))!;
    expect([...metadata.finalizers!].sort()).toEqual(names);
  });

  it('of another object with the same name are not changed', async () => {
    await api.apply(configMap('a', {}));
    const uid = '00000000-0000-4000-8000-000000000000';
    await api.patchFinalizers('ConfigMap', { namespace, name: 'a', uid }, { add: 'example.com/mine' });
    expect((await api.get('ConfigMap', namespace, 'a'))?.metadata.finalizers).toBeUndefined();
  });
});

describe('deletion', () => {
  it('is done once, does not affect another object with the same name, and ignores a missing object', async () => {
    const { metadata } = await api.apply(configMap('a', {}));
    await api.delete('ConfigMap', { namespace, name: 'a', uid: '00000000-0000-4000-8000-000000000000' });
    expect(await api.get('ConfigMap', namespace, 'a')).toBeDefined();
    await api.delete('ConfigMap', { namespace, name: 'a', uid: metadata.uid! });
    await api.delete('ConfigMap', { namespace, name: 'a' });
    expect(await api.get('ConfigMap', namespace, 'a')).toBeUndefined();
  });
});

describe('access', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'service-account-'));
    return () => rm(folder, { recursive: true });
  });

  it('comes from a kubeconfig file', async () => {
    const viaFile = new HttpKubernetesApi(await kubeconfigAccess(address.kubeconfig));
    expect(await viaFile.get('Namespace', '', namespace)).toBeDefined();
    await viaFile.close();
  });

  it("comes from a pod's ServiceAccount, whose token may be replaced at any time", async () => {
    const { hostname, port } = new URL(address.server);
    await writeFile(join(folder, 'ca.crt'), address.ca);
    await writeFile(join(folder, 'token'), 'expired');
    const access = inClusterAccess({
      variables: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
      serviceAccountDirectory: folder,
    });
    const inPod = new HttpKubernetesApi(access);
    await expect(inPod.get('Namespace', '', namespace)).rejects.toMatchObject({ code: 401, destiny: 'retry' });
    await writeFile(join(folder, 'token'), `${address.adminToken}\n`);
    expect(await inPod.get('Namespace', '', namespace)).toBeDefined();
    await inPod.close();
  });

  it('trusts only a server with a certificate of its CA', async () => {
    const { hostname, port } = new URL(address.server);
    const stranger = new HttpKubernetesApi({
      server: new URL(`https://${hostname}:${port}`),
      credentials: async () => ({ headers: {}, tls: {} }),
    });
    await expect(stranger.get('Namespace', '', namespace)).rejects.toMatchObject({
      reason: 'KubernetesUnreachable',
      destiny: 'retry',
      message: expect.stringMatching(/^read Namespace \S+: the API server does not respond: .*self.signed/i),
    });
    await stranger.close();
  });
});

describe('the id of a cluster', () => {
  it('is the uid of kube-system, or a digest of its authority for an account that may not read it', async () => {
    const admin = adminAccess(address);
    const id = await findClusterId(api, admin);
    expect(id).toBe((await api.get('Namespace', 'kube-system', 'kube-system'))?.metadata.uid);
    const access = accessAs(address, 'nobody');
    const stranger = new HttpKubernetesApi(access);
    const [one, other] = [await findClusterId(stranger, access), await findClusterId(stranger, access)];
    expect(one).toMatch(/^[0-9a-f]{32}$/);
    expect(other).toBe(one);
    await stranger.close();
  });
});
