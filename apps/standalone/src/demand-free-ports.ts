import { once } from 'node:events';
import { createServer } from 'node:net';
import type { StandaloneConfig } from '#config/standalone-config.js';
import { portInUse } from '#registry-api/http/http-server.js';

/** Throws when the API could not listen: before anything is started, because later it takes longer to hear of it. */
export async function demandFreePorts({ host, port, internalPort }: StandaloneConfig): Promise<void> {
  for (const [number, portSetting] of [
    [port, 'PORT'],
    [internalPort, 'INTERNAL_PORT'],
  ] as const) {
    const server = createServer();
    try {
      await once(server.listen(number, host), 'listening');
    } catch (error) {
      throw listenFault({ host, port: number, portSetting }, error as NodeJS.ErrnoException);
    } finally {
      if (server.listening) await once(server.close(), 'close');
    }
  }
}

function listenFault(wanted: { host: string; port: number; portSetting: string }, cause: NodeJS.ErrnoException): Error {
  const { host, port, portSetting } = wanted;
  const { code, message } = cause;
  if (code === 'EADDRINUSE') return portInUse(wanted, cause);
  if (code === 'EACCES') {
    return new Error(`port ${port} is not for this user: set ${portSetting} to one above 1023`, { cause });
  }
  const why = code ?? message;
  return new Error(`HOST ${host} is no address of this machine (${why}): set HOST to 0.0.0.0 or 127.0.0.1`, { cause });
}
