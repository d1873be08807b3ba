import { randomUUID } from 'node:crypto';
import { toStatus } from '#domain/status/to-status.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { FINALIZER, KubernetesResourceStore } from '#kubernetes/kubernetes-resource-store.js';
import { RegistryWorkflows } from '#operator/registry-workflows.js';
import { startRegistryWorker } from '#operator/registry-worker.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { adminAccess } from './api-server.js';
import { eventually } from './eventually.js';
import { createNamespace } from './namespace.js';
import { settings } from './provisioned-registry.js';
import './quiet-temporal.js';
import { sharedApiServer } from './shared-api-server.js';

/** The workflow of an MCPRegistry named `tools` on a real API server. The test takes the role of the watcher. */
export class ProvisioningWorld {
  private constructor(
    readonly api: HttpKubernetesApi,
    readonly temporal: TemporalAccess,
    readonly workflows: RegistryWorkflows,
    readonly namespace: string,
    private readonly resources: KubernetesResourceStore,
    private readonly worker: RunningWorker,
  ) {}

  static async start(temporalAddress: string): Promise<ProvisioningWorld> {
    const api = new HttpKubernetesApi(adminAccess(await sharedApiServer()));
    const resources = new KubernetesResourceStore(api);
    const temporal = await connectTemporal({ address: temporalAddress, namespace: 'default' });
    const taskQueue = `test-${randomUUID()}`;
    const worker = await startRegistryWorker({
      connection: temporal.connection,
      namespace: 'default',
      identity: 'test',
      grace: { softMs: 500, hardMs: 2_000 },
      taskQueue,
      world: {
        resources,
        minSyncIntervalMs: 1_000,
        unprovision: async () => undefined,
        provisioning: { api, settings },
      },
    });
    const workflows = new RegistryWorkflows(temporal.client, taskQueue);
    return new ProvisioningWorld(api, temporal, workflows, await createNamespace(api), resources, worker);
  }

  /** Applies the spec, and nudges the workflow as the watcher would. */
  async apply(spec: object): Promise<RegistryRef> {
    const { metadata } = await this.write('toolhive.stacklok.dev/v1alpha1', 'MCPRegistry', 'tools', {
      spec: { auth: { mode: 'anonymous' }, ...spec },
    });
    const registry = { namespace: this.namespace, name: metadata.name, uid: metadata.uid! };
    await this.api.patchFinalizers('MCPRegistry', registry, { add: FINALIZER });
    await this.workflows.nudge(registry, { generation: metadata.generation! });
    return registry;
  }

  /** Applies an object with another field manager. */
  write(apiVersion: string, kind: string, name: string, rest: object): Promise<KubernetesObject> {
    const object = { apiVersion, kind, metadata: { namespace: this.namespace, name }, ...rest };
    return this.api.apply(object, { fieldManager: 'somebody' });
  }

  /**
   * Waits until the status is as wanted, and returns it. The status is computed from the workflow, because it is
   * written to the resource at most every five seconds.
   */
  status(registry: RegistryRef, wanted: (status: RegistryStatus) => boolean): Promise<RegistryStatus> {
    return eventually(async () => {
      const facts = await this.workflows.findFacts(registry).catch(() => undefined);
      const known = { previous: undefined, nowMs: Date.now(), digest: (text: string) => text };
      const status = facts && toStatus(facts, known);
      return status && wanted(status) ? status : undefined;
    });
  }

  /** Waits until the status in the resource is as wanted, and returns it. */
  written(registry: RegistryRef, wanted: (status: RegistryStatus) => boolean): Promise<RegistryStatus> {
    return eventually(async () => {
      const status = await this.resources.readStatus(registry);
      return status && wanted(status) ? status : undefined;
    });
  }

  async stop(): Promise<void> {
    await this.worker.stop();
    await this.temporal.close();
    await this.api.close();
  }
}

/** Returns the status and reason of each condition, by type. */
export function verdicts({ conditions }: RegistryStatus): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}
