import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '#config/project-root.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { parseManifest } from '#standalone/documents/parse-manifest.js';
import { adminAccess } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { sharedApiServer } from '#support/shared-api-server.js';

describe('the registry server without an operator', () => {
  let api: HttpKubernetesApi;
  let objects: readonly (KubernetesObject & { readonly data?: Record<string, string> })[];

  beforeAll(async () => {
    api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
    const text = await readFile(new URL('deploy/manifests/registry-server.yaml', projectRoot), 'utf8');
    objects = parseAllDocuments(text).map((document) => document.toJS());
  });

  afterAll(() => api.close());

  it('is made of objects that an API server takes', async () => {
    const namespace = await createNamespace(api);
    for (const object of objects) {
      await api.dryRunApply({ ...object, metadata: { ...object.metadata, namespace } });
    }
    expect(objects.map(({ kind }) => kind)).toEqual(['ConfigMap', 'PersistentVolumeClaim', 'Deployment', 'Service']);
  });

  it('brings a manifest without faults', () => {
    const manifest = objects.find(({ kind }) => kind === 'ConfigMap')?.data?.['registry.yaml'] ?? '';
    expect(parseManifest(manifest, 'registry.yaml')).toMatchObject({ entries: [{ kind: 'MCPRegistry' }], faults: [] });
  });
});
