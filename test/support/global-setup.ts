import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createProgress } from '#devstack/progress.js';
import { untilSignal } from '#devstack/until-signal.js';
import { obtainTool } from '#devstack/obtain-tool.js';
import type { ToolName } from '#devstack/tools.js';
import { startEmbeddedPostgres } from '#persistence/embedded/start-embedded-postgres.js';
import { startTemporalDevServer } from '#temporal/dev-server.js';
import { offerApiServer } from './shared-api-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** `host:port` */
    temporalAddress: string;
    temporalBinary: string;
  }
}

/** Low enough for a test to go through a continue-as-new. */
const EVENTS_BEFORE_CONTINUE_AS_NEW = 120;

/**
 * Starts a Postgres and a Temporal for the whole run, and an API server when a test first requests it. Tests create
 * their own databases, registries and namespaces in them.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  build();
  const directory = await mkdtemp(join(tmpdir(), 'mcp-registry-test-'));
  const progress = createProgress();
  const log = (): void => undefined;
  const obtain = (name: ToolName) => untilSignal((signal) => obtainTool(name, { progress, signal }));
  const temporalBinary = await obtain('temporal');
  // Obtain these now, because building them would take longer than any test may.
  for (const name of ['etcd', 'kube-apiserver'] as const) await obtain(name);
  progress.done();
  const [postgres, temporal] = await Promise.all([
    startEmbeddedPostgres({
      dataDirectory: join(directory, 'postgres'),
      durable: false,
      // Enough for all test files that run at the same time, each with several replicas.
      maxConnections: 300,
      log,
    }),
    startTemporalDevServer({
      binary: temporalBinary,
      dataFile: join(directory, 'temporal.db'),
      port: 17_233,
      uiPort: 18_233,
      logFile: join(directory, 'temporal.log'),
      recordFile: join(directory, 'temporal.json'),
      dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': EVENTS_BEFORE_CONTINUE_AS_NEW },
      log,
    }),
  ]);
  const apiServer = await offerApiServer(directory);
  process.env['TEST_POSTGRES_SOCKET'] = postgres.connection.host;
  project.provide('temporalAddress', temporal.address);
  project.provide('temporalBinary', temporalBinary);
  return async () => {
    await Promise.all([postgres.stop(), temporal.stop(), apiServer.stop()]);
    await rm(directory, { recursive: true, force: true });
  };
}

/**
 * Builds dist, because import threads, the workflow bundle and whole processes are tested as shipped, and never from a
 * stale build.
 */
function build(): void {
  const { status } = spawnSync(process.execPath, ['tools/build.mjs'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed');
}
