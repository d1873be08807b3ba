import { once } from 'node:events';
import { createServer } from 'node:net';

/** Returns the first port at or after `from` that is free on 127.0.0.1 and not in `taken`. */
export async function findFreePort(from: number, taken?: number): Promise<number> {
  for (let port = from; port <= 65_535; port++) {
    if (port !== taken && (await isPortFree(port))) return port;
  }
  throw new Error(`No port from ${from} on is free`);
}

/** Returns whether a server could listen on the port now. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return true;
  } catch (error) {
    // EACCES means a port below 1024 for an ordinary user.
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    if (server.listening) await once(server.close(), 'close');
  }
}
