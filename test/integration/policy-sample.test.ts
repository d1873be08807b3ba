import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectRoot } from '#environment/project-root.js';
import { findFormat } from '#exports/index.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { adminAccess } from '#support/api-server.js';
import { createNamespace } from '#support/namespace.js';
import { sharedApiServer } from '#support/shared-api-server.js';

it('the sample that keeps a policy in a ConfigMap is accepted by an API server that requires restricted pods', async () => {
  const api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
  try {
    const text = await readFile(new URL('deploy/samples/policy-config-map.yaml', projectRoot), 'utf8');
    const objects = parseAllDocuments(text).map((document) => document.toJS({ maxAliasCount: 10 }));
    const namespace = await createNamespace(api);
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
    for (const object of objects) await api.apply({ ...object, metadata: { ...object.metadata, namespace } });

    const { template } = objects.at(-1).spec.jobTemplate.spec;
    await api.dryRunApply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'mcp-policy', namespace }, ...template });

    const [init] = template.spec.initContainers;
    const [, id, , , out] = init.args as string[];
    const kustomization = objects.find(({ kind }) => kind === 'ConfigMap').data['kustomization.yaml'];
    const file = findFormat(id as string)?.file as string;
    expect(out).toBe(`/work/${file}`);
    expect(kustomization).toContain(`files: [${file}]`);
  } finally {
    api.close();
  }
});

const kubectl = process.env['KUBECTL'];

it.skipIf(!kubectl || !existsSync(kubectl))(
  'its kustomization creates a ConfigMap from the exported file',
  async () => {
    const text = await readFile(new URL('deploy/samples/policy-config-map.yaml', projectRoot), 'utf8');
    const objects = parseAllDocuments(text).map((document) => document.toJS({ maxAliasCount: 10 }));
    const folder = await mkdtemp(join(tmpdir(), 'policy-'));
    try {
      await writeFile(
        join(folder, 'kustomization.yaml'),
        objects.find(({ kind }) => kind === 'ConfigMap').data['kustomization.yaml'],
      );
      await writeFile(join(folder, 'managed-settings.json'), '{"allowedMcpServers":[]}');
      const { stdout } = await promisify(execFile)(kubectl as string, ['kustomize', folder]);
      const [made] = parseAllDocuments(stdout).map((document) => document.toJS());
      expect(made).toMatchObject({
        kind: 'ConfigMap',
        metadata: { name: 'mcp-policy' },
        data: { 'managed-settings.json': '{"allowedMcpServers":[]}' },
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
