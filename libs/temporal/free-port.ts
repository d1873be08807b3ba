import { once } from 'node:events';
import { createServer } from 'node:net';

/** The first port at or after `from` on which nobody listens on 127.0.0.1 and that is not `taken`. */
export async function findFreePort(from: number, taken?: number): Promise<number> {
  for (let port = from; port <= 65_535; port++) {
    if (port !== taken && (await isPortFree(port))) return port;
  }
  throw new Error(`No port from ${from} on is free`);
}

/** Whether a server could listen on it now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch (error) {
    // EACCES: a port below 1024, for an ordinary user.
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    if (server.listening) await once(server.close(), 'close');
  }
}
