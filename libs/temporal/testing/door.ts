import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { NetConnectOpts, Server, Socket } from 'node:net';
import { findFreePort } from '../free-port.js';

/** Ports below the range for outgoing connections, so that no connection takes the port while the door is shut. */
const PORTS = { least: 20_000, most: 30_000 };

/** A relay in front of a server. While it is shut, open connections are reset and new ones are refused. */
export class Door implements AsyncDisposable {
  private server: Server | undefined;
  private readonly inside = new Set<Socket>();

  private constructor(
    readonly port: number,
    private readonly behind: NetConnectOpts,
  ) {}

  static async to(behind: NetConnectOpts, { shut = false } = {}): Promise<Door> {
    const door = new Door(await findFreePort(randomInt(PORTS.least, PORTS.most)), behind);
    await door.open();
    if (shut) await door.shut();
    return door;
  }

  get isOpen(): boolean {
    return this.server !== undefined;
  }

  async open(): Promise<void> {
    this.server = createServer((near) => {
      const far = connect(this.behind);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.inside.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.inside.delete(socket);
          other.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
  }

  async shut(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    for (const socket of this.inside) socket.destroy();
    if (server) await once(server.close(), 'close');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shut();
  }
}
