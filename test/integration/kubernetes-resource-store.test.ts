import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toStatus } from '#domain/status/to-status.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import { EventRecorder } from '#kubernetes/event-recorder.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { FINALIZER, KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import { adminAccess } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { sharedApiServer } from '#support/shared-api-server.js';

interface EventObject extends KubernetesObject {
  readonly reason: string;
  readonly count: number;
}

let api: HttpKubernetesApi;
let store: KubernetesResourceStore;
let namespace: string;

beforeAll(async () => {
  api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
  store = new KubernetesResourceStore(api);
  namespace = await createNamespace(api);
});

afterAll(() => api.close());

async function createRegistry(name: string, metadata: object = {}): Promise<RegistryRef> {
  const registry = {
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { name, namespace, ...metadata },
    spec: { auth: { mode: 'anonymous' } },
  };
  const { metadata: created } = await api.create<KubernetesObject>(registry);
  return { namespace, name, uid: created.uid! };
}

describe('registries in the Kubernetes API', () => {
  it('are found by name and uid, with the annotation that requests a sync', async () => {
    const annotations = { 'toolhive.stacklok.dev/sync-trigger': 'now' };
    const ref = await createRegistry('found', { annotations });
    expect(await store.findRegistry(ref)).toMatchObject({ ref, generation: 1, deleting: false, triggerToken: 'now' });
    expect(await store.findRegistry({ ...ref, uid: '00000000-0000-0000-0000-000000000000' })).toBeUndefined();
  });

  it('keep their status unchanged', async () => {
    const ref = await createRegistry('status');
    expect(await store.readStatus(ref)).toBeUndefined();
    const failure = { reason: 'Unreachable' as const, message: 'nobody is there' };
    const sources = [{ name: 'a', attemptCount: 1, lastSyncAtMs: 1_000, lastSyncHash: 'h', serverCount: 3, failure }];
    const status = toStatus(
      { generation: 1, deleting: false, serving: true, handledTrigger: 'one', sources },
      { previous: undefined, nowMs: 2_000, digest: (text) => text },
    );
    await store.writeStatus(ref, status);
    expect(await store.readStatus(ref)).toEqual(status);
    const { resourceVersion } = (await api.get('MCPRegistry', namespace, 'status'))!.metadata;
    await store.writeStatus(ref, status);
    expect((await api.get('MCPRegistry', namespace, 'status'))!.metadata.resourceVersion).toBe(resourceVersion);
  });

  it('are deleted when they are released, and writing to a deleted one has no effect', async () => {
    const ref = await createRegistry('released', { finalizers: [FINALIZER] });
    await api.delete('MCPRegistry', ref);
    expect(await store.findRegistry(ref)).toMatchObject({ deleting: true });
    await store.release(ref);
    await store.release(ref);
    expect(await store.findRegistry(ref)).toBeUndefined();
    const gone = toStatus(
      { generation: 1, deleting: true, serving: false, sources: [] },
      { previous: undefined, nowMs: 1, digest: (text) => text },
    );
    await store.writeStatus(ref, gone);
    expect(await api.get('MCPRegistry', namespace, 'released')).toBeUndefined();
  });

  it('refer to ConfigMaps and Secrets, whose versions change with their content', async () => {
    expect(await store.referenceVersion('ConfigMap', namespace, 'data')).toBeUndefined();
    await expect(store.configMapKey(namespace, 'data', 'a')).rejects.toMatchObject({ reason: 'ConfigMapNotFound' });
    await expect(store.secretKey(namespace, 'data', 'a')).rejects.toMatchObject({ reason: 'SecretNotFound' });
    const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'data', namespace } };
    await api.apply({ ...configMap, data: { a: 'text' }, binaryData: { b: Buffer.from([0, 255]).toString('base64') } });
    expect(Buffer.from(await store.configMapKey(namespace, 'data', 'a')).toString()).toBe('text');
    expect(Buffer.from(await store.configMapKey(namespace, 'data', 'b'))).toEqual(Buffer.from([0, 255]));
    await expect(store.configMapKey(namespace, 'data', 'c')).rejects.toMatchObject({
      reason: 'KeyNotFound',
      message: expect.stringContaining('it has a, b'),
    });
    const before = await store.referenceVersion('ConfigMap', namespace, 'data');
    await api.apply({ ...configMap, data: { a: 'other' } });
    expect(await store.referenceVersion('ConfigMap', namespace, 'data')).not.toBe(before);
    const data = { a: Buffer.from('secret').toString('base64') };
    await api.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'data', namespace },
      data,
    } as KubernetesObject);
    expect(Buffer.from(await store.secretKey(namespace, 'data', 'a')).toString()).toBe('secret');
  });

  it.each(['ConfigMap', 'Secret'] as const)('treat a %s as unchanged until its content changes', async (kind) => {
    const write = (name: string, data: Record<string, string>, labels = {}) =>
      api.apply({ apiVersion: 'v1', kind, metadata: { name, namespace, labels }, data } as KubernetesObject);
    const version = (name: string) => store.referenceVersion(kind, namespace, name);
    await write('referred', { a: 'c2VjcmV0', b: 'eA==' });
    const before = await version('referred');
    await write('referred', { b: 'eA==', a: 'c2VjcmV0' }, { edited: 'yes' });
    expect(await version('referred')).toBe(before);
    await write('referred', { a: 'c2VjcmV0', b: 'eQ==' });
    expect(await version('referred')).not.toBe(before);
    // The version is not only a hash of the content, so that nobody can tell that two objects have the same content.
    await write('namesake', { a: 'c2VjcmV0', b: 'eA==' });
    expect(await version('namesake')).not.toBe(before);
  });
});

describe('events', () => {
  it('are written once in ten minutes, and counted after that', async () => {
    const ref = await createRegistry('events');
    let nowMs = Date.now();
    const failures: unknown[] = [];
    const recorder = new EventRecorder(
      api,
      (_, error) => failures.push(error),
      () => nowMs,
    );
    const event = { type: 'Warning', reason: 'SyncFailed', message: 'nobody is there' } as const;
    const read = async () =>
      (await api.list<EventObject>('Event', { namespace })).items.map(({ reason, count }) => ({ reason, count }));
    await recorder.record(ref, [event, event]);
    expect(await read()).toEqual([{ reason: 'SyncFailed', count: 1 }]);
    nowMs += 11 * 60_000;
    await recorder.record(ref, [event]);
    expect(await read()).toEqual([{ reason: 'SyncFailed', count: 2 }]);
    expect(failures).toEqual([]);
  });

  it('that cannot be written block nothing', async () => {
    const failures: unknown[] = [];
    const recorder = new EventRecorder(api, (_, error) => failures.push(error));
    const ref = { namespace: 'absent', name: 'x', uid: 'u' };
    await recorder.record(ref, [{ type: 'Normal', reason: 'Created', message: 'x' }]);
    expect(failures).toHaveLength(1);
  });
});
