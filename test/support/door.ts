import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { NetConnectOpts, Server, Socket } from 'node:net';
import { nextFreePort } from './free-port.js';

/** A port of its own in front of a server, that can be shut: who knocks is refused, who is inside is thrown out. */
export class Door implements AsyncDisposable {
  private server: Server | undefined;
  private readonly inside = new Set<Socket>();

  private constructor(
    readonly port: number,
    private readonly behind: NetConnectOpts,
  ) {}

  static async to(behind: NetConnectOpts, { shut = false } = {}): Promise<Door> {
    const door = new Door(await nextFreePort(), behind);
    await door.open();
    if (shut) await door.shut();
    return door;
  }

  async open(): Promise<void> {
    this.server = createServer((visitor) => {
      const host = connect(this.behind);
      for (const socket of [visitor, host]) {
        this.inside.add(socket);
        socket.on('close', () => this.inside.delete(socket)).on('error', () => undefined);
      }
      visitor.pipe(host).pipe(visitor);
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
