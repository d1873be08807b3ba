import { join } from 'node:path';
import type { Logger } from 'pino';
import type { StandaloneConfig } from '#environment/standalone-config.js';
import { obtainTool } from '#devstack/obtain-tool.js';
import type { Progress } from '#devstack/progress.js';
import { isGrpcServiceError } from '@temporalio/client';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess } from '#temporal/connect.js';
import { startTemporalDevServer } from '#temporal/dev-server.js';
import type { TemporalDevServer } from '#temporal/dev-server.js';
import { orAborted } from '#concurrency/or-aborted.js';

export interface TemporalServer {
  /** `host:port` */
  readonly address: string;
  /** URL of Temporal's UI; undefined if TEMPORAL_ADDRESS is set, because the URL is then unknown. */
  readonly uiUrl: string | undefined;
  readonly access: TemporalAccess;
  /** Closes the connections, and stops the server if we started it. */
  stop(): Promise<void>;
}

/** gRPC status code NOT_FOUND. */
const NOT_FOUND = 5;

interface Surroundings {
  readonly progress: Progress;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Returns the configured Temporal server, or starts a local one whose history is kept in the data directory. */
export async function obtainTemporal(
  config: StandaloneConfig,
  dataDirectory: string,
  surroundings: Surroundings,
): Promise<TemporalServer> {
  const { temporalAddress: named, temporalNamespace: namespace } = config;
  if (named !== undefined) {
    surroundings.progress.step(`connecting to Temporal at ${named}`);
    const connecting = connectTemporal({ address: named, namespace }).catch((error: Error) => {
      const remedy = 'start it, correct the address, or unset it to use a local server';
      throw new Error(`TEMPORAL_ADDRESS: ${error.message}: ${remedy}`, { cause: error });
    });
    const access = await orAborted(connecting.then(withNamespace(named, namespace)), surroundings.signal);
    return { address: named, uiUrl: undefined, access, stop: () => access.close() };
  }
  const server = await startServer(config, dataDirectory, surroundings);
  const { address, uiUrl } = server;
  try {
    const connecting = connectTemporal({ address, namespace }).then(withNamespace(address, namespace));
    const access = await orAborted(connecting, surroundings.signal);
    const stop = async (): Promise<void> => {
      await access.close().catch(() => undefined);
      await server.stop();
    };
    return { address, uiUrl, access, stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * Returns the connection if its server has the namespace. Otherwise workers would fail later, with a less helpful
 * message.
 */
function withNamespace(address: string, namespace: string) {
  return async (access: TemporalAccess): Promise<TemporalAccess> => {
    try {
      await access.client.workflowService.describeNamespace({ namespace });
    } catch (error) {
      // Credentials that may use a namespace may lack the right to describe it.
      if (!isGrpcServiceError(error) || error.code !== NOT_FOUND) return access;
      await access.close();
      const remedy = 'create it there, correct the name, or unset it to use "default"';
      throw new Error(
        `TEMPORAL_NAMESPACE: the Temporal server at ${address} has no namespace ${namespace}: ${remedy}`,
        { cause: error },
      );
    }
    return access;
  };
}

async function startServer(
  config: StandaloneConfig,
  dataDirectory: string,
  { progress, logger, signal }: Surroundings,
): Promise<TemporalDevServer> {
  const binary = await obtainTool('temporal', { progress, signal });
  progress.step('starting Temporal');
  return startTemporalDevServer({
    binary,
    dataFile: join(dataDirectory, 'temporal.db'),
    port: config.temporalPort,
    uiPort: config.temporalUiPort,
    logFile: join(dataDirectory, 'logs', 'temporal.log'),
    recordFile: join(dataDirectory, 'temporal.json'),
    log: (message, fields = {}) => logger.info({ ...fields, component: 'temporal' }, message),
    signal,
  });
}
