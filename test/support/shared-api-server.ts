import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import { adminAccess, startApiServer } from './api-server.js';
import type { ApiServerAddress, RunningApiServer } from './api-server.js';
import { installCrd, readCrd } from '#api-server/install-crd.js';

const SOCKET_VARIABLE = 'TEST_API_SERVER_SOCKET';

/**
 * Offers an API server to all test files of a run, and starts it with our CRD at the first request. It runs in the
 * process that outlives the tests. Tests request it through a socket, because the values that vitest provides to them
 * are fixed before they start.
 */
export async function offerApiServer(directory: string): Promise<{ stop(): Promise<void> }> {
  let starting: Promise<RunningApiServer> | undefined;
  const server = createServer((_, response) => {
    starting ??= start(join(directory, 'kubernetes'));
    starting.then(
      ({ server, ca, adminToken, kubeconfig }) => response.end(JSON.stringify({ server, ca, adminToken, kubeconfig })),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  const socket = join(directory, 'api-server.sock');
  await once(server.listen(socket), 'listening');
  process.env[SOCKET_VARIABLE] = socket;
  return {
    async stop() {
      server.close();
      await starting?.then((running) => running.stop()).catch(() => undefined);
    },
  };
}

async function start(directory: string): Promise<RunningApiServer> {
  const server = await startApiServer(directory);
  const api = new HttpKubernetesApi(adminAccess(server));
  try {
    await installCrd(api, await readCrd());
    return server;
  } finally {
    await api.close();
  }
}

/** Returns the API server of this run, with our CRD. Tests are isolated by creating their own namespaces. */
export async function sharedApiServer(): Promise<ApiServerAddress> {
  const socketPath = process.env[SOCKET_VARIABLE];
  if (!socketPath) throw new Error(`${SOCKET_VARIABLE} does not name the socket that offers an API server`);
  const [response] = await once(request({ socketPath }).end(), 'response');
  const answer = await text(response);
  if (response.statusCode !== 200) throw new Error(answer);
  return JSON.parse(answer) as ApiServerAddress;
}
