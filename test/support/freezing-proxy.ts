import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * A proxy in front of a TCP server. It can freeze connections: data no longer arrives, but the connections stay open.
 */
export class FreezingProxy implements AsyncDisposable {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server = createServer((near) => this.#accept(near));
  #isDown = false;

  private constructor(private readonly targetPort: number) {}

  static async before(targetPort: number): Promise<FreezingProxy> {
    const proxy = new FreezingProxy(targetPort);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Number of open connections, including frozen ones. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Behaves as if the node behind it had lost power: connections stay open, and packets are lost. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
      // Read the data and drop it, like lost packets.
      near.resume();
      far.resume();
    }
  }

  /** Whether new connections are frozen from the start. */
  set isDown(isDown: boolean) {
    this.#isDown = isDown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    const far = connect(this.targetPort, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    if (this.#isDown) return void near.resume();
    near.pipe(far);
    far.pipe(near);
  }
}
