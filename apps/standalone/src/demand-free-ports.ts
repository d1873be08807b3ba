import { once } from 'node:events';
import { createServer } from 'node:net';
import type { StandaloneConfig } from '#config/standalone-config.js';
import { portInUse } from '#registry-api/http/http-server.js';

/** Throws when another process has a port that the API needs: before anything is started, because later it takes longer to hear of it. */
export async function demandFreePorts({ host, port, internalPort }: StandaloneConfig): Promise<void> {
  for (const [number, portSetting] of [
    [port, 'PORT'],
    [internalPort, 'INTERNAL_PORT'],
  ] as const) {
    const server = createServer();
    try {
      await once(server.listen(number, host), 'listening');
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        ? portInUse({ port: number, portSetting }, error)
        : error;
    } finally {
      if (server.listening) await once(server.close(), 'close');
    }
  }
}
