import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Duration. The load stops after this time or after `requests` requests, whichever comes first. */
  readonly seconds: number;
  readonly requests?: number;
  /** Returns the n-th request: the path, followed by additional headers, each line with its line ending. */
  request(n: number): string;
  readonly expectedStatus: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** The latency of each request in milliseconds, in ascending order. */
  readonly latencies: Float64Array;
}

/**
 * Sends requests over keep-alive connections, one at a time on each. It uses bare sockets, because a client that parses
 * responses would need more of the machine than the server under test.
 */
export async function load(options: Load): Promise<LoadResult> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const endsAt = startedAt + options.seconds * 1000;
  let asked = 0;
  const isOver = () => performance.now() >= endsAt || asked >= (options.requests ?? Infinity);

  const workers = Array.from({ length: options.connections }, async () => {
    const connection = await Connection.open(options.port);
    try {
      while (!isOver()) {
        const sentAt = performance.now();
        const status = await connection.ask(options.request(asked++));
        latencies.push(performance.now() - sentAt);
        if (status !== options.expectedStatus) throw new Error(`answered ${status} to ${options.request(asked - 1)}`);
      }
    } finally {
      connection.close();
    }
  });
  await awake(Promise.all(workers));
  const seconds = (performance.now() - startedAt) / 1000;
  return { requests: latencies.length, seconds, latencies: Float64Array.from(latencies).sort() };
}

/**
 * Waits without letting the process sleep. Waking a sleeping process costs CPU time in the process that writes to its
 * socket, which would be counted as the server's.
 */
async function awake(work: Promise<unknown>): Promise<void> {
  let spinning: NodeJS.Immediate | undefined;
  const spin = () => void (spinning = setImmediate(spin));
  spin();
  try {
    await work;
  } finally {
    clearImmediate(spinning);
  }
}

export function percentile({ latencies }: LoadResult, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
}

/**
 * A receive buffer for all connections, which are read one after the other. Allocating one for each read would cost
 * more than a request.
 */
const received = Buffer.alloc(256 * 1024);

export interface FetchedAnswer {
  readonly status: number;
  /** Headers, keyed by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * A connection that handles one response at a time. It counts the bytes of a body without keeping them, unless the body
 * is requested.
 */
export class Connection {
  readonly #socket: Socket;
  #head = '';
  #missing = 0;
  #status = 0;
  #body: Buffer[] | undefined;
  #answered: PromiseWithResolvers<number> | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', (error) => this.#answered?.reject(error));
    socket.on('close', () => this.#answered?.reject(new Error('the server hung up')));
  }

  static async open(port: number): Promise<Connection> {
    let connection: Connection | undefined;
    const callback = (bytes: number) => {
      if (connection) connection.#take(received.subarray(0, bytes));
      return true;
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: received, callback } });
    await once(socket, 'connect');
    return (connection = new Connection(socket));
  }

  /** Sends a request. Resolves with the status when the response is complete. */
  ask(pathAndHeaders: string): Promise<number> {
    const [path, ...headers] = pathAndHeaders.split('\r\n');
    const further = headers.filter((line) => line !== '').map((line) => `${line}\r\n`);
    this.#answered = Promise.withResolvers<number>();
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${further.join('')}\r\n`);
    return this.#answered.promise;
  }

  async fetch(pathAndHeaders: string): Promise<FetchedAnswer> {
    this.#body = [];
    const status = await this.ask(pathAndHeaders);
    const body = Buffer.concat(this.#body);
    this.#body = undefined;
    const [, ...lines] = this.#head.split('\r\n');
    return { status, headers: Object.fromEntries(lines.map(toHeader)), body };
  }

  close(): void {
    this.#answered = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let body = chunk;
    if (this.#missing === 0) {
      const end = chunk.indexOf('\r\n\r\n');
      if (end < 0) throw new Error('a response head in several pieces is not supported');
      this.#head = chunk.toString('latin1', 0, end);
      this.#status = Number(this.#head.slice(9, 12));
      this.#missing = Number(/\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1] ?? 0);
      body = chunk.subarray(end + 4);
    }
    this.#missing -= body.length;
    this.#body?.push(Buffer.from(body));
    if (this.#missing === 0) this.#answered?.resolve(this.#status);
  }
}

function toHeader(line: string): [string, string] {
  const colon = line.indexOf(': ');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
}
