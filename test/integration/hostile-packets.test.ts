import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { eventually } from '#support/eventually.js';
import { fireHostilePackets } from '#support/hostile-packets.js';
import { ServerPod } from '#support/server-pod.js';
import { startShipped } from '#support/shipped-process.js';
import type { ShippedProcess } from '#support/shipped-process.js';
import { configMap, configMapSource, manifestOf, mcpRegistry, StandalonePlace } from '#support/standalone-process.js';
import { toolhiveCatalogue } from '#support/catalogues.js';

/** An address where nothing listens. */
const NOWHERE = '127.0.0.1:1';

interface Target {
  readonly process: ShippedProcess;
  /** Ports by purpose, each with a path that returns 200. */
  readonly ports: Readonly<Record<string, readonly [port: number, path: string]>>;
}

let ends: AsyncDisposableStack;
let targets: Readonly<Record<string, Target>>;

beforeAll(async () => {
  ends = new AsyncDisposableStack();
  const [operator, serve, standalone] = await Promise.all([startOperator(), startServe(), startStandalone()]);
  targets = { operator, serve, standalone };
  for (const { process, ports } of Object.values(targets)) {
    ends.defer(() => process.end());
    for (const [port, path] of Object.values(ports)) await answering(process, port, path);
  }
});

afterAll(() => ends.disposeAsync());

/** Starts the operator without a cluster and without Temporal. Its ports are open from the start. */
async function startOperator(): Promise<Target> {
  const pod = await StandalonePlace.create();
  ends.use(pod);
  const kubeconfig = join(pod.directory, 'kubeconfig');
  const cluster = { server: `https://${NOWHERE}` };
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      clusters: [{ name: 'x', cluster }],
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      users: [{ name: 'x', user: { token: 'x' } }],
    }),
  );
  const { api: metrics, internal: health } = pod.ports;
  const process = startShipped(['operator'], {
    env: {
      PATH: '/usr/bin:/bin',
      KUBECONFIG: kubeconfig,
      TEMPORAL_ADDRESS: NOWHERE,
      TOOLHIVE_REGISTRY_API_IMAGE: 'registry.example.com/server:1',
      METRICS_PORT: String(metrics),
      HEALTH_PORT: String(health),
    },
  });
  return { process, ports: { metrics: [metrics, '/metrics'], health: [health, '/healthz'] } };
}

async function startServe(): Promise<Target> {
  const registry = { namespace: 'team', name: 'tools', uid: '2f9c0f3e-6f0d-4b8c-9d0c-9a8f3f7f4f10' };
  const config = JSON.stringify({
    auth: { mode: 'anonymous' },
    registries: [{ name: 'file', file: { path: '/nowhere.json' } }],
  });
  const pod = ends.use(await ServerPod.create({ registry, config, temporalAddress: NOWHERE }));
  const process = pod.start();
  const port = (url: string) => Number(new URL(url).port);
  return {
    process,
    ports: { public: [port(pod.url), '/health'], internal: [port(pod.internalUrl), '/metrics'] },
  };
}

async function startStandalone(): Promise<Target> {
  const manifest = manifestOf(mcpRegistry('main', [configMapSource('a')]), configMap('a', toolhiveCatalogue(3)));
  const place = ends.use(await StandalonePlace.create({ manifest }));
  const process = place.start({ env: { TEMPORAL_ADDRESS: inject('temporalAddress') } });
  const { api, internal } = place.ports;
  return { process, ports: { public: [api, '/v0.1/servers'], internal: [internal, '/health'] } };
}

const statusOf = (port: number, path: string) =>
  fetch(`http://127.0.0.1:${port}${path}`).then(
    ({ status }) => status,
    () => undefined,
  );

async function answering(process: ShippedProcess, port: number, path: string): Promise<void> {
  await eventually(async () => ((await statusOf(port, path)) === 200 ? true : undefined)).catch((cause: unknown) => {
    throw new Error(`port ${port} does not answer:\n${process.output}`, { cause });
  });
}

describe('hostile packets do not end', () => {
  it.each([
    ['operator', 'metrics'],
    ['operator', 'health'],
    ['serve', 'public'],
    ['serve', 'internal'],
    ['standalone', 'public'],
    ['standalone', 'internal'],
  ])('%s at its %s port, which refuses each and answers afterwards', async (name, purpose) => {
    const { process, ports } = targets[name] as Target;
    const [port, path] = ports[purpose] as readonly [number, string];
    const answers = await fireHostilePackets(port);
    for (const [packet, line] of answers) {
      expect(line, `${packet.name}\n${process.output.slice(-2000)}`).toMatch(/^(HTTP\/1\.1 ([234]|501|503)|$)/);
    }
    expect(await statusOf(port, path)).toBe(200);
    expect(process.output).not.toMatch(/uncaught|request failed/);
  });
});
