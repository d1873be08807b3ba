import { once } from 'node:events';
import { createServer } from 'node:net';
import type { StandaloneConfig } from '#environment/standalone-config.js';
import { listenFault } from '#listener/listen-fault.js';

/**
 * Throws if the API could not listen on its ports. Checked before anything is started, because later the error would
 * take longer to appear.
 */
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
