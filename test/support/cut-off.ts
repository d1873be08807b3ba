import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, NetConnectOpts, Socket } from 'node:net';

/**
 * Counts what a process sends to its servers, and cuts it off before one of these messages. To the servers, a process
 * that is cut off and never comes back looks like one that was killed by `kill -9` at this point.
 */
export class CutOff {
  #left = Infinity;

  /** Number of messages that may still pass. Infinite unless a cut is planned, and again after it was survived. */
  get left(): number {
    return this.#left;
  }

  get isCut(): boolean {
    return this.#left < 0;
  }

  /** Cuts off before the n-th message from now on, starting at 1. */
  before(n: number): void {
    this.#left = n - 1;
  }

  heal(): void {
    this.#left = Infinity;
  }

  /** Counts a message; returns whether it may pass. */
  pass(): boolean {
    this.#left -= 1;
    return !this.isCut;
  }

  /**
   * Runs a step as Temporal would: if it was cut off, calls `replace` to start the next process, and runs the step again
   * there. A failure for any other reason is thrown.
   */
  async survive<T>(step: () => Promise<T>, replace: () => Promise<void> = async () => undefined): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!this.isCut) throw error;
      this.heal();
      await replace();
      return step();
    }
  }
}

/** A proxy in front of a Postgres. All connections end when the process is cut off, and no new one is accepted. */
export class CutOffPostgres implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((near) => this.#accept(near));

  private constructor(
    private readonly target: NetConnectOpts,
    private readonly cutOff: CutOff,
  ) {}

  static async before(target: NetConnectOpts, cutOff: CutOff): Promise<CutOffPostgres> {
    const proxy = new CutOffPostgres(target, cutOff);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #endAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(near: Socket): void {
    const far = connect(this.target);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    if (this.cutOff.isCut) return void near.destroy();
    near.on('data', (chunk) => {
      if (changesNothing(chunk) ? this.cutOff.isCut : !this.cutOff.pass()) this.#endAll();
      else far.write(chunk);
    });
    far.pipe(near);
  }
}

/** First byte of a message without a type, which starts a connection, and of the message that ends it. */
const UNTYPED = 0;
const TERMINATE = 'X'.charCodeAt(0);

/**
 * Returns whether a message only starts, sets up or ends a session. Being killed before it is the same as before the
 * next one, so such messages are not counted.
 */
function changesNothing(message: Buffer): boolean {
  return message[0] === UNTYPED || message[0] === TERMINATE || message.includes('SET statement_timeout');
}
