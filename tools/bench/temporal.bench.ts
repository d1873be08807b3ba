import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectTemporal } from '#temporal/connect.js';
import { findFreePort } from '#temporal/free-port.js';
import type { Bench } from './bench.js';
import { StandaloneProcess } from './schedule/standalone-process.js';
import { ACTION_NAMES, between, tally } from './temporal/actions.js';
import type { Tally } from './temporal/actions.js';

/** Longer than the pause between two status reports, because otherwise one report would cover several syncs. */
const INTERVAL_SECONDS = 15;
const SYNCS = 6;
const IDLE_MS = 60_000;
const DAY_MS = 24 * 60 * 60_000;
const SYNCS_A_DAY = 48;

const SERVER = { name: 'io.example/one', description: 'The only server', version: '1.0.0' };

/**
 * Measures what a registry costs in Temporal: the history events and actions of a sync that finds nothing new, and of
 * an idle registry.
 */
export const temporalBench: Bench = {
  name: 'temporal',

  async run() {
    const perSync = await measure({ interval: `${INTERVAL_SECONDS}s` }, SYNCS * INTERVAL_SECONDS * 1_000);
    const idle = await measure({}, IDLE_MS);
    const actions = ({ actions: by }: Tally) => ACTION_NAMES.reduce((sum, name) => sum + by[name], 0);
    const each = (count: number) => count / perSync.syncs;
    const idleDay = (count: number) => (count * DAY_MS) / IDLE_MS;
    const line = (label: string, sync: number, idling: number) => [
      label,
      each(sync).toFixed(1),
      Math.round(idleDay(idling)),
      Math.round(SYNCS_A_DAY * each(sync) + idleDay(idling)),
    ];
    return [
      {
        title: `Temporal: a registry with one source that holds the same all the time; ${perSync.syncs} syncs counted`,
        head: ['', 'per sync', 'per idle day', 'per day at 30m'],
        rows: [
          line('history events', perSync.events, idle.events),
          line('actions', actions(perSync), actions(idle)),
          ...ACTION_NAMES.map((name) => line(`  ${name}`, perSync.actions[name], idle.actions[name])),
        ],
      },
    ];
  },
};

/** Returns by how much the histories grow within `durationMs` after the first sync of a registry. */
async function measure(syncPolicy: { readonly interval?: string }, durationMs: number): Promise<Tally> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-bench-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const catalogue = { version: '1.0.0', meta: { last_updated: '2026-11-22T00:00:00Z' }, data: { servers: [SERVER] } };
  const data = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'catalogue' },
    data: { k: JSON.stringify(catalogue) },
  });
  const source = {
    name: 'only',
    format: 'upstream',
    configMapRef: { name: 'catalogue', key: 'k' },
    ...(syncPolicy.interval && { syncPolicy }),
  };
  const registry = {
    apiVersion: 'toolhive.stacklok.dev/v1alpha1',
    kind: 'MCPRegistry',
    metadata: { name: 'one' },
    spec: { auth: { mode: 'anonymous' }, registries: [source] },
  };
  const manifest = join(directory, 'manifest.yaml');
  await writeFile(manifest, `${JSON.stringify(registry)}\n---\n${data}\n`);
  const port = await findFreePort(27_233);
  await using _product = await StandaloneProcess.start(manifest, {
    DATA_DIR: join(directory, 'data'),
    TEMPORAL_PORT: String(port),
    TEMPORAL_UI_PORT: String(await findFreePort(28_233)),
  });
  const temporal = await connectTemporal({ address: `127.0.0.1:${port}`, namespace: 'default' });
  stack.defer(() => temporal.close());
  // The first sync and its reports are complete after this time.
  await sleep(INTERVAL_SECONDS * 1_000);
  const before = await tally(temporal.client);
  await sleep(durationMs);
  return between(before, await tally(temporal.client));
}
