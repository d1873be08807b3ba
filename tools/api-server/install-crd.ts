import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { projectRoot } from '#environment/project-root.js';
import type { KubernetesApi } from '#kubernetes/kubernetes-api.js';
import { KubernetesRefusal } from '#kubernetes/kubernetes-error.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';

const MANIFEST = new URL('deploy/crds/mcpregistries.toolhive.stacklok.dev.yaml', projectRoot);

export async function readCrd(): Promise<KubernetesObject> {
  return parse(await readFile(MANIFEST, 'utf8')) as KubernetesObject;
}

/** Installs the given version of our CRD. Returns when the server serves it. */
export async function installCrd(api: KubernetesApi, crd: KubernetesObject): Promise<void> {
  await api.apply(crd);
  for (;;) {
    try {
      await api.list('MCPRegistry', { namespace: 'default' });
      return;
    } catch (error) {
      if (!(error instanceof KubernetesRefusal) || error.code !== 404) throw error;
      await sleep(50);
    }
  }
}
