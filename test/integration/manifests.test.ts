import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '#environment/project-root.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { parseManifest } from '#standalone/documents/parse-manifest.js';
import { adminAccess } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { sharedApiServer } from '#support/shared-api-server.js';

interface ManifestObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface PodOwner {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly containers: readonly { readonly env: readonly object[] }[] };
    };
  };
}

async function readManifest(name: string): Promise<ManifestObject[]> {
  const text = await readFile(new URL(`deploy/manifests/${name}`, projectRoot), 'utf8');
  return parseAllDocuments(text).map((document) => document.toJS());
}

describe('the sample with a webhook', () => {
  it('is accepted by an API server, and its Ingress leads only to the path of the webhook', async () => {
    const api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
    try {
      const text = await readFile(new URL('deploy/samples/webhooks.yaml', projectRoot), 'utf8');
      const [registry, ingress] = parseAllDocuments(text).map((document) => document.toJS());
      const namespace = await createNamespace(api);
      for (const object of [registry, ingress]) {
        await api.dryRunApply({ ...object, metadata: { ...object.metadata, namespace } });
      }
      const paths = ingress.spec.rules.flatMap((rule: { http: { paths: object[] } }) => rule.http.paths);
      const [{ name }] = registry.spec.webhooks;
      expect(paths).toMatchObject([{ path: `/v1/hooks/${name}`, pathType: 'Exact' }]);
    } finally {
      api.close();
    }
  });
});

describe('the operator without Helm', () => {
  let api: HttpKubernetesApi;

  beforeAll(async () => {
    api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
  });

  afterAll(() => api.close());

  it('consists of objects that an API server accepts', async () => {
    const [namespace, ...objects] = await readManifest('operator.yaml');
    await api.apply(namespace!);
    for (const object of objects) await api.dryRunApply(object);
    expect([...new Set([namespace!, ...objects].map(({ kind }) => kind))]).toEqual([
      'Namespace',
      'NetworkPolicy',
      'ServiceAccount',
      'Secret',
      'ClusterRole',
      'ClusterRoleBinding',
      'Service',
      'Deployment',
      'ValidatingAdmissionPolicy',
      'ValidatingAdmissionPolicyBinding',
    ]);
  });

  it('connects to the Temporal of the manifest next to it', async () => {
    const { metadata } = (await readManifest('temporal-dev.yaml')).find(({ kind }) => kind === 'Service')!;
    const endpoint = (await readManifest('operator.yaml')).find(({ kind }) => kind === 'Secret');
    expect(endpoint).toMatchObject({ stringData: { address: `${metadata.name}.${metadata.namespace}.svc:7233` } });
  });
});

describe('the registry server without an operator', () => {
  let api: HttpKubernetesApi;
  let objects: readonly ManifestObject[];

  beforeAll(async () => {
    api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
    objects = await readManifest('registry-server.yaml');
  });

  afterAll(() => api.close());

  it('consists of objects that an API server accepts', async () => {
    const namespace = await createNamespace(api);
    for (const object of objects) {
      await api.dryRunApply({ ...object, metadata: { ...object.metadata, namespace } });
    }
    expect(objects.map(({ kind }) => kind)).toEqual(['ConfigMap', 'PersistentVolumeClaim', 'Deployment', 'Service']);
  });

  it('connects to the Temporal of the manifest next to it, which admits it', async () => {
    const temporal = await readManifest('temporal-dev.yaml');
    const service = temporal.find(({ kind }) => kind === 'Service')!.metadata;
    const policy = temporal.find(({ kind }) => kind === 'NetworkPolicy');
    const { metadata, spec } = (objects.find(({ kind }) => kind === 'Deployment') as unknown as PodOwner).spec.template;
    const address = `${service.name}.${service.namespace}.svc:7233`;
    expect(spec.containers[0]?.env).toContainEqual({ name: 'TEMPORAL_ADDRESS', value: address });
    const label = { 'app.kubernetes.io/component': 'registry-api' };
    expect(metadata.labels).toMatchObject(label);
    const namespaceSelector = { matchLabels: { 'toolhive.stacklok.dev/registries': 'true' } };
    const admitted = { namespaceSelector, podSelector: { matchLabels: label } };
    expect(policy).toMatchObject({ spec: { ingress: [{ from: expect.arrayContaining([admitted]) as unknown }] } });
  });

  it('contains a valid manifest', () => {
    const manifest = objects.find(({ kind }) => kind === 'ConfigMap')?.data?.['registry.yaml'] ?? '';
    expect(parseManifest(manifest, 'registry.yaml')).toMatchObject({ entries: [{ kind: 'MCPRegistry' }], faults: [] });
  });
});
