import type { RegistryStatus } from '#domain/status/registry-status.js';
import { apply, ensureNamespace, get, getThroughService, kubectl, until } from './cluster.js';
import type { RegistryObject } from './cluster.js';

/** A registry from the perspective of its user: through kubectl and the API. */
export interface DeployedRegistry {
  readonly namespace: string;
  readonly name: string;
}

export interface ServerList {
  readonly servers: readonly { readonly server: { readonly name: string; readonly description: string } }[];
  readonly metadata: { readonly count: number; readonly nextCursor?: string };
}

/** Applies an MCPRegistry with this spec in its own namespace. */
export async function createRegistry(namespace: string, name: string, spec: object): Promise<DeployedRegistry> {
  await ensureNamespace(namespace);
  const metadata = { name, namespace };
  await apply([{ apiVersion: 'toolhive.stacklok.dev/v1alpha1', kind: 'MCPRegistry', metadata, spec }]);
  return { namespace, name };
}

export async function statusOf({ namespace, name }: DeployedRegistry): Promise<RegistryStatus | undefined> {
  return (await get<RegistryObject>('mcpregistry', name, namespace)).status;
}

/** Waits in the way that the documentation tells users to. If this fails, the error contains the status. */
export async function awaitReady(registry: DeployedRegistry, seconds = 180): Promise<string> {
  const condition = ['--for=condition=Ready', `mcpregistry/${registry.name}`, `--timeout=${seconds}s`];
  try {
    return await kubectl(['wait', '--namespace', registry.namespace, ...condition]);
  } catch (error) {
    const status = JSON.stringify(await statusOf(registry).catch(() => undefined), undefined, 1);
    throw new Error(`${(error as Error).message}\n${status}`, { cause: error });
  }
}

export function awaitStatus(
  registry: DeployedRegistry,
  what: string,
  accept: (status: RegistryStatus) => boolean,
  withinMs = 120_000,
): Promise<RegistryStatus> {
  const ask = async () => {
    const status = await statusOf(registry);
    if (!status) throw new Error('no status yet');
    return status;
  };
  return until(`${registry.namespace}/${registry.name} ${what}`, ask, accept, { withinMs });
}

export function servers(
  { namespace, name }: DeployedRegistry,
  source: string,
  query = 'limit=1000',
): Promise<ServerList> {
  return getThroughService<ServerList>(namespace, name, `/registry/${source}/v0.1/servers?${query}`);
}

export function annotate({ namespace, name }: DeployedRegistry, trigger: string): Promise<string> {
  const annotation = `toolhive.stacklok.dev/sync-trigger=${trigger}`;
  return kubectl(['annotate', 'mcpregistry', name, '--namespace', namespace, '--overwrite', annotation]);
}

export function condition(
  status: RegistryStatus,
  type: string,
): { status: string; reason: string; message: string } | undefined {
  return status.conditions.find((each) => each.type === type);
}
