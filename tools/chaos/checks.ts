import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { registryWorkflowId } from '#domain/registry-ref.js';
import type { RegistryObject } from '#kubernetes/kubernetes-resource-store.js';
import { editionOf } from './catalogue.js';
import { listSource } from './readers.js';
import { NAMESPACE } from './registry.js';
import type { ChaosRegistry } from './registry.js';
import type { Rig } from './rig.js';

const LOOK_MS = 1_000;
/** Interval at which the log reports what has not settled yet. */
const PROGRESS_MS = 30_000;
const SHOWN = 5;

export interface Check {
  readonly what: string;
  /** What is wrong. Empty if the check has passed. */
  readonly faults: readonly string[];
  /** A figure or remark. */
  readonly detail?: string;
}

/** What has not recovered in time after the last fault. */
export interface Settlement {
  /** Registries that are missing, have not observed their last edit, or have not synced. */
  readonly unsettled: readonly string[];
  /** Sources for which the served list differs from their content. */
  readonly unserved: readonly string[];
  readonly tookSeconds: number;
}

/**
 * Edits every registry and every served source once more. Waits until each edit is observed and served, and until each
 * source has been synced after the last fault. Returns what has not recovered in time.
 */
export async function settle(
  rig: Rig,
  { faultsEndedAt, seconds, log }: { faultsEndedAt: number; seconds: number; log: (line: string) => void },
): Promise<Settlement> {
  const { api } = rig.parts;
  for (const registry of rig.registries) await persist(() => api.apply(registry.nextSpec()));
  for (const registry of servedRegistries(rig)) {
    for (const source of registry.sources) await persist(() => registry.publish(source, api));
  }
  const deadline = performance.now() + seconds * 1000;
  let saysAt = performance.now() + PROGRESS_MS;
  for (;;) {
    const [unsettled, unserved] = [await unsettledRegistries(rig, faultsEndedAt), await unservedSources(rig)];
    const isSettled = unsettled.length === 0 && unserved.length === 0;
    if (isSettled || performance.now() > deadline) {
      const tookSeconds = Math.round((Date.now() - faultsEndedAt) / 1000);
      return { unsettled, unserved, tookSeconds };
    }
    if (performance.now() > saysAt) {
      saysAt += PROGRESS_MS;
      log(`still waiting: ${[...unsettled, ...unserved].slice(0, SHOWN).join('; ')}`);
    }
    await sleep(LOOK_MS);
  }
}

/** Repeats an edit until the API server accepts it, because the API server may just have been killed. */
async function persist(edit: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      return void (await edit());
    } catch {
      await sleep(LOOK_MS);
    }
  }
}

function servedRegistries(rig: Rig): ChaosRegistry[] {
  return rig.registries.slice(0, rig.pods.length);
}

async function unsettledRegistries(rig: Rig, faultsEndedAt: number): Promise<string[]> {
  const { items } = await rig.parts.api
    .list<RegistryObject>('MCPRegistry', { namespace: NAMESPACE })
    .catch(() => ({ items: [] as RegistryObject[] }));
  const objects = new Map(items.map((object) => [object.metadata.name, object]));
  return rig.registries.flatMap(({ name }, index) => {
    const object = objects.get(name);
    if (!object) return [`${name} is not there`];
    const hindrance = hindranceOf(object, { faultsEndedAt, isServed: index < rig.pods.length });
    return hindrance === undefined ? [] : [`${name}: ${hindrance}`];
  });
}

function hindranceOf(
  { metadata, status }: RegistryObject,
  { faultsEndedAt, isServed }: { faultsEndedAt: number; isServed: boolean },
): string | undefined {
  if (!status) return 'has no status';
  if (status.observedGeneration !== metadata.generation) {
    return `generation ${metadata.generation} is not observed; the observed one is ${status.observedGeneration}`;
  }
  if (!isServed) {
    return status.apiStatus?.phase === 'Deploying' ? undefined : `its server is ${status.apiStatus?.phase}`;
  }
  if (status.phase !== 'Ready' && status.phase !== 'Syncing') return `is ${status.phase}: ${status.message}`;
  for (const { name, phase, message, lastSyncTime } of status.syncStatus?.sources ?? []) {
    if (phase === 'Failed') return `source ${name} failed: ${message}`;
    if (!(Date.parse(lastSyncTime ?? '') > faultsEndedAt)) return `source ${name} was synced last at ${lastSyncTime}`;
  }
  return undefined;
}

async function unservedSources(rig: Rig): Promise<string[]> {
  const missing = servedRegistries(rig).map(async (registry, index) => {
    const pod = rig.pods[index];
    const looks = registry.sources.map(async (source) => {
      const id = registry.idOf(source);
      const listed = pod && (await listSource(pod, source).catch((error: Error) => error));
      if (!listed) return `${id} is not served`;
      if (listed instanceof Error) return `${id}: ${listed.message}`;
      const edition = editionOf(id, listed);
      return edition === registry.editions[source]
        ? []
        : `${id} is served in edition ${edition}, and the source holds ${registry.editions[source]}`;
    });
    return (await Promise.all(looks)).flat();
  });
  return (await Promise.all(missing)).flat();
}

/** Returns the registries whose workflow is not running or has a workflow task that fails repeatedly. */
export async function wedgedWorkflows(rig: Rig): Promise<string[]> {
  const { api, temporalAddress } = rig.parts;
  const { items } = await api.list<RegistryObject>('MCPRegistry', { namespace: NAMESPACE });
  const connection = await Connection.connect({ address: temporalAddress });
  try {
    const { workflow } = new Client({ connection });
    const wedged: string[] = [];
    for (const { metadata } of items) {
      const ref = { namespace: NAMESPACE, name: metadata.name, uid: metadata.uid ?? '' };
      const { status, raw } = await workflow.getHandle(registryWorkflowId(ref)).describe();
      const attempt = raw.pendingWorkflowTask?.attempt ?? 0;
      if (status.name !== 'RUNNING') wedged.push(`${metadata.name}: its workflow is ${status.name}`);
      else if (attempt > 3) wedged.push(`${metadata.name}: attempt ${attempt} of a workflow task`);
    }
    return wedged;
  } finally {
    await connection.close();
  }
}

/**
 * Returns the failed workflows of this run. Each is a bug in the workflow's code, even though the sweep has started it
 * again.
 */
export async function failedWorkflows(rig: Rig): Promise<string[]> {
  const connection = await Connection.connect({ address: rig.parts.temporalAddress });
  try {
    const { workflow } = new Client({ connection });
    const failed = workflow.list({ query: "ExecutionStatus = 'Failed' AND WorkflowType = 'mcpRegistry'" });
    return (await Array.fromAsync(failed)).map(({ workflowId }) => workflowId);
  } finally {
    await connection.close();
  }
}

/** Formats a check as one line, followed by its first failures. */
export function formatCheck({ what, faults, detail }: Check): string {
  const head = `${faults.length === 0 ? 'ok    ' : 'FAILED'}  ${what}${detail === undefined ? '' : ` (${detail})`}`;
  const more = faults.length > SHOWN ? [`        … and ${faults.length - SHOWN} more`] : [];
  return [head, ...faults.slice(0, SHOWN).map((fault) => `        ${fault}`), ...more].join('\n');
}
