import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RegistryStatus } from '#domain/status/registry-status.js';

/** The fields that every kind has in the output of `kubectl get -o json`. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  };
}

export interface RegistryObject extends KubernetesObject {
  readonly status?: RegistryStatus;
}

export interface PodObject extends KubernetesObject {
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly restartCount: number;
      readonly ready: boolean;
    }[];
  };
}

const ATTEMPT_MS = 60_000;

/** Runs kubectl against the cluster of KUBECONFIG. The error contains the output of kubectl. */
export function kubectl(args: readonly string[], input?: string): Promise<string> {
  return run('kubectl', args, input);
}

export function helm(args: readonly string[]): Promise<string> {
  return run('helm', args);
}

/** Applies manifests (YAML text or objects) with strict validation, like `kubectl apply`. */
export function apply(manifest: string | readonly object[], namespace?: string): Promise<string> {
  const text = typeof manifest === 'string' ? manifest : manifest.map((each) => JSON.stringify(each)).join('\n---\n');
  const into = namespace === undefined ? [] : ['--namespace', namespace];
  return kubectl(['apply', '--validate=strict', ...into, '--filename', '-'], text);
}

export async function get<T extends KubernetesObject>(kind: string, name: string, namespace: string): Promise<T> {
  return JSON.parse(await kubectl(['get', kind, name, '--namespace', namespace, '--output', 'json']));
}

export async function find<T extends KubernetesObject>(
  kind: string,
  name: string,
  namespace: string,
): Promise<T | undefined> {
  const text = await kubectl(['get', kind, name, '--namespace', namespace, '--output', 'json', '--ignore-not-found']);
  return text === '' ? undefined : JSON.parse(text);
}

export async function list<T extends KubernetesObject>(kinds: string, namespace: string, selector = ''): Promise<T[]> {
  const args = ['get', kinds, '--namespace', namespace, '--selector', selector, '--output', 'json'];
  return JSON.parse(await kubectl(args)).items;
}

export async function ensureNamespace(name: string): Promise<void> {
  await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }]);
}

/** Polls until `accept` returns true, and returns that result. The error contains the last result. */
export async function until<T>(
  what: string,
  ask: () => Promise<T>,
  accept: (answer: T) => boolean,
  { withinMs = 120_000, everyMs = 500 } = {},
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen: T | Error = await ask().catch((error: Error) => error);
    if (!(seen instanceof Error) && accept(seen)) return seen;
    if (Date.now() > deadline) {
      const last = seen instanceof Error ? seen.message : JSON.stringify(seen, undefined, 1);
      throw new Error(`${what}: not within ${withinMs / 1000} s; last seen: ${last.slice(0, 6_000)}`);
    }
    await sleep(everyMs);
  }
}

/** Sends a GET request to a Service through the proxy of the API server, which works wherever kubectl works. */
export async function getThroughService<T = Record<string, unknown>>(
  namespace: string,
  registry: string,
  path: string,
): Promise<T> {
  return JSON.parse(
    await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/services/${registry}-api:8080/proxy${path}`]),
  );
}

function run(command: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { timeout: ATTEMPT_MS * 5, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) =>
        error ? reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`)) : resolve(stdout),
    );
    child.stdin?.end(input ?? '');
  });
}

/** Deletes namespaces with everything in them, and waits until they are gone. */
export async function deleteNamespaces(names: readonly string[]): Promise<void> {
  const doomed = [...new Set(names)];
  if (doomed.length > 0) await kubectl(['delete', 'namespace', ...doomed, '--ignore-not-found', '--timeout', '240s']);
}
