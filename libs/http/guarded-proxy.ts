import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { policyAfter, reachOf } from './address-policy.js';
import type { AddressPolicy } from './address-policy.js';
import { ForbiddenAddress } from './forbidden-address.js';
import { connectGuarded } from './guarded-connection.js';

/**
 * A SOCKS proxy on the loopback interface for one program. It restricts the program to connections to allowed
 * addresses.
 */
export interface GuardedProxy extends AsyncDisposable {
  /** `socks5h://user:password@127.0.0.1:port`. With `socks5h`, the proxy resolves names, not the program. */
  readonly url: string;
  /** The reason why the last connection failed. Undefined if it succeeded. */
  readonly failure: unknown;
  /** Whether a connection to a private address was attempted. */
  readonly triedPrivate: boolean;
  /** Starts another run of the program, which resets the address policy for redirects. */
  startRun(): void;
}

export interface GuardedProxyOptions {
  readonly policy: AddressPolicy;
  readonly signal: AbortSignal;
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Maximum number of concurrent connections. git opens one or two. */
const MAX_CONNECTIONS = 16;

/** A client that has not sent its target within this time is disconnected. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/**
 * Starts a proxy that implements the part of SOCKS 5 (RFC 1928, RFC 1929) that libcurl uses. Every connection of the
 * program passes through it, including those that follow a redirect. After a connection to a public address, no private
 * one is allowed, see `policyAfter`. Other processes cannot use the proxy, because its password is random.
 */
export async function startGuardedProxy(options: GuardedProxyOptions): Promise<GuardedProxy> {
  const proxy = new Proxy(options);
  await proxy.listen();
  return proxy;
}

class Proxy implements GuardedProxy {
  readonly #options: GuardedProxyOptions;
  readonly #password = randomBytes(16).toString('hex');
  readonly #server = createServer((client) => void this.#serve(client));
  readonly #sockets = new Set<Socket>();
  #policy: AddressPolicy;
  failure: unknown;
  triedPrivate = false;

  constructor(options: GuardedProxyOptions) {
    this.#options = options;
    this.#policy = options.policy;
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  get url(): string {
    return `socks5h://git:${this.#password}@127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  startRun(): void {
    this.#policy = this.#options.policy;
    this.failure = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  async #serve(client: Socket): Promise<void> {
    this.#track(client);
    client.setTimeout(HANDSHAKE_TIMEOUT_MS, () => client.destroy());
    try {
      const { host, port } = await readRequest(client, this.#password);
      client.setTimeout(0);
      const target = await this.#connect(host, port).catch((error: unknown) => {
        this.failure = error;
        client.end(reply(error instanceof ForbiddenAddress ? NOT_ALLOWED : HOST_UNREACHABLE));
      });
      if (!target) return;
      this.#track(target);
      client.write(reply(SUCCEEDED));
      pipeline(client, target, client, () => undefined);
    } catch {
      // The program disconnected, or the client does not know the password.
      client.destroy();
    }
  }

  async #connect(host: string, port: number): Promise<Socket> {
    const socket = await connectGuarded(host, port, {
      policy: this.#policy,
      timeoutMs: this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      signal: this.#options.signal,
      onAttempt: (reach) => (this.triedPrivate ||= reach === 'private'),
    });
    this.failure = undefined;
    this.#policy = policyAfter(this.#policy, reachOf(socket.remoteAddress ?? ''));
    return socket;
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

const SUCCEEDED = 0;
const NOT_ALLOWED = 2;
const HOST_UNREACHABLE = 4;

function reply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** Reads the method selection, the password and the `CONNECT` request. Throws for anything else. */
async function readRequest(client: Socket, password: string): Promise<{ host: string; port: number }> {
  const read = reader(client);
  const refuse = (): never => {
    throw new Error('not a client of this proxy');
  };
  const [version, methods = 0] = await read(2);
  if (version !== 5 || !(await read(methods)).includes(2)) refuse();
  client.write(Buffer.from([5, 2]));
  await read(1);
  const lengthOf = async () => (await read(1))[0] ?? 0;
  await read(await lengthOf());
  const isRight = (await read(await lengthOf())).toString() === password;
  client.write(Buffer.from([1, isRight ? 0 : 1]));
  if (!isRight) refuse();
  const [, command, , type] = await read(4);
  if (command !== 1) refuse();
  const host = await readHost(type, read, lengthOf);
  return { host: host ?? refuse(), port: (await read(2)).readUInt16BE() };
}

async function readHost(
  type: number | undefined,
  read: (bytes: number) => Promise<Buffer>,
  lengthOf: () => Promise<number>,
): Promise<string | undefined> {
  if (type === 1) return (await read(4)).join('.');
  if (type === 3) return (await read(await lengthOf())).toString('latin1');
  if (type === 4) return ((await read(16)).toString('hex').match(/.{4}/g) ?? []).join(':');
  return undefined;
}

/**
 * Returns a function that waits until exactly the given number of bytes can be read from the socket. A client sends
 * nothing more until it gets a response.
 */
function reader(socket: Socket): (bytes: number) => Promise<Buffer> {
  let held = Buffer.alloc(0);
  return async (bytes) => {
    while (held.length < bytes) {
      const chunk = socket.read() as Buffer | null;
      if (chunk) held = Buffer.concat([held, chunk]);
      else if (socket.readableEnded || socket.destroyed) throw new Error('the client ended too early');
      else await moreOrEnd(socket);
    }
    const taken = held.subarray(0, bytes);
    held = held.subarray(bytes);
    return taken;
  };
}

function moreOrEnd(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('readable', done).off('close', done);
      resolve();
    };
    socket.on('readable', done).on('close', done);
  });
}
