import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { eventually } from './eventually.js';

const MANIFEST = new URL('../../deploy/crds/mcpregistries.toolhive.stacklok.dev.yaml', import.meta.url);

export async function readCrd(): Promise<KubernetesObject> {
  return parse(await readFile(MANIFEST, 'utf8')) as KubernetesObject;
}

/** Installs our CRD, in the version given, and returns when the server serves it. */
export async function installCrd(api: KubernetesApi, crd: KubernetesObject): Promise<void> {
  await api.apply(crd);
  await eventually(async () => {
    try {
      return await api.list('MCPRegistry', { namespace: 'default' });
    } catch (error) {
      if (error instanceof KubernetesRefusal && error.code === 404) return undefined;
      throw error;
    }
  });
}
