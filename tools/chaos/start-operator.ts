import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningApiServer } from '#api-server/start-api-server.js';
import { findFreePort } from '#temporal/free-port.js';
import { POD_HEAP_FLAGS } from '../bench/pod-heap.js';
import { GIT_SITE } from './registry.js';
import { SupervisedProcess } from './supervised-process.js';

const FIRST_PORT = 30_150;

interface OperatorSetup {
  readonly server: RunningApiServer;
  /** URL at which the operator reaches the API server. */
  readonly apiServerUrl: URL;
  readonly temporalAddress: string;
  readonly gitUrl: string;
}

/** Starts the operator as a separate process, configured as in a pod. */
export async function startOperator(directory: string, setup: OperatorSetup): Promise<SupervisedProcess> {
  const account = join(directory, 'service-account');
  await mkdir(account, { recursive: true });
  await writeFile(join(account, 'token'), setup.server.adminToken);
  await writeFile(join(account, 'ca.crt'), setup.server.ca);
  const healthPort = await findFreePort(FIRST_PORT);
  const metricsPort = await findFreePort(healthPort + 1);
  return SupervisedProcess.start({
    name: 'operator',
    directory,
    flags: POD_HEAP_FLAGS,
    args: ['operator'],
    healthUrl: `http://127.0.0.1:${healthPort}/healthz`,
    env: {
      HOST: '127.0.0.1',
      HEALTH_PORT: String(healthPort),
      METRICS_PORT: String(metricsPort),
      KUBERNETES_SERVICE_HOST: setup.apiServerUrl.hostname,
      KUBERNETES_SERVICE_PORT: setup.apiServerUrl.port,
      SERVICE_ACCOUNT_DIR: account,
      TEMPORAL_ADDRESS: setup.temporalAddress,
      TOOLHIVE_REGISTRY_API_IMAGE: 'registry.example.com/server:1',
      SOURCE_URL_REWRITES: `${GIT_SITE}=${setup.gitUrl}/`,
      OPERATOR_RELEASE: 'chaos',
      DISCOVER_SERVERS: '0',
      LOG_LEVEL: 'warn',
    },
  });
}
