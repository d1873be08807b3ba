import { readFile } from 'node:fs/promises';
import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, getCACertificates, TLSSocket } from 'node:tls';
import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import type { SslMode } from '#domain/ssl-mode.js';

export interface TlsAccess {
  readonly sslMode: SslMode;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Thrown if the connection cannot be encrypted as the mode requires. The message gives the reason. */
export class TlsRefused extends Error {
  override readonly name = 'TlsRefused';
}

type Transport = 'plain' | 'tls';

/** The transports that each mode tries, in this order. */
const TRANSPORTS: Readonly<Record<SslMode, readonly Transport[]>> = {
  disable: ['plain'],
  allow: ['plain', 'tls'],
  prefer: ['tls', 'plain'],
  require: ['tls'],
  'verify-ca': ['tls'],
  'verify-full': ['tls'],
};

/** The SSLRequest message: length 8, then the request code in the position of a protocol version. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
/**
 * Returns whether the first response to a startup message says that pg_hba.conf does not allow this kind of connection
 * (SQLSTATE 28000).
 */
const isRefusal = (answer: Buffer): boolean => answer[0] === 0x45 && answer.includes('\0C28000\0');

/**
 * A socket that negotiates TLS as libpq does, for node-pg's `stream` option. node-pg itself can only turn TLS on or
 * off, and treats `require` and `verify-ca` as `verify-full`. Unlike in libpq, `allow` and `prefer` never verify the
 * server, even if there is a CA: if plain text is acceptable, an invalid certificate is no reason to fall back to it.
 */
export class NegotiatedSocket extends Duplex {
  readonly #tls: TlsAccess;
  readonly #maxBytes: number;
  #receivedBytes = 0;
  #untried: Transport[];
  #place: { host: string; port: number } | { path: string } = { path: '' };
  #socket: Socket | undefined;
  #keepAlive: [boolean, number] = [false, 0];
  /** The first message of the client. It is sent again if the server requires the other transport. */
  #startup: Buffer | undefined;
  /** The server's response to the startup message, kept while the other transport is tried. */
  #refusal: Buffer | undefined;
  #isAnswered = false;

  /**
   * Creates a socket that fails after `maxBytes` from the server. Without a limit, node-pg would buffer a message of
   * any length until it is complete.
   */
  constructor(tls: TlsAccess, maxBytes = Infinity) {
    super();
    this.#tls = tls;
    this.#maxBytes = maxBytes;
    this.#untried = [...TRANSPORTS[tls.sslMode]];
  }

  /**
   * Connects and emits `connect` when the client can send its startup message. A string as `port` is the path of a Unix
   * socket, which is never encrypted.
   */
  connect(port: number | string, host = ''): this {
    this.#place = typeof port === 'string' ? { path: port } : { host, port };
    if (typeof port === 'string') this.#untried = ['plain'];
    this.#tryNext();
    return this;
  }

  /** Returns the certificate of the server, which SCRAM with channel binding uses. Undefined without TLS. */
  getPeerCertificate(): PeerCertificate | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate() : undefined;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(enable: boolean, initialDelayMs: number): this {
    this.#keepAlive = [enable, initialDelayMs];
    this.#socket?.setKeepAlive(enable, initialDelayMs);
    return this;
  }

  ref(): this {
    this.#socket?.ref();
    return this;
  }

  unref(): this {
    this.#socket?.unref();
    return this;
  }

  #tryNext(): void {
    const transport = this.#untried.shift();
    const socket = connectPlain({ ...this.#place, noDelay: true });
    this.#hold(socket);
    socket.once('connect', () => {
      socket.setKeepAlive(...this.#keepAlive);
      if (transport === 'tls') this.#askForTls(socket);
      else this.#use(socket);
    });
  }

  /**
   * Sets the current socket. There is one at a time, and its errors and its end are handled here until it is given up.
   */
  #hold(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail());
  }

  /** Closes the stream after all received data has been read. */
  #end(): void {
    this.once('end', () => this.destroy());
    this.push(null);
  }

  #giveUp(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.removeAllListeners();
    socket?.on('error', () => undefined);
    socket?.destroy();
  }

  #fail(error?: Error): void {
    this.#giveUp();
    if (this.#refusal && !this.#isAnswered) {
      // The server did respond on the other transport, and that response explains the failure better.
      this.#isAnswered = true;
      this.push(this.#refusal);
      this.#end();
    } else if (error || !this.#isAnswered) {
      this.destroy(error);
    } else {
      this.#end();
    }
  }

  #askForTls(socket: Socket): void {
    socket.write(SSL_REQUEST);
    socket.once('data', (answer: Buffer) => {
      socket.pause();
      // Bytes after the response may not come from the server that will prove its identity (CVE-2021-23222).
      if (answer.length !== 1)
        return this.#fail(new TlsRefused('the server responded to the request for TLS with unexpected data'));
      if (answer.toString('latin1') === 'S') return void this.#secure(socket);
      if (answer.toString('latin1') !== 'N')
        return this.#fail(new TlsRefused('the server does not know the request for TLS'));
      if (this.#untried.includes('plain')) this.#use(socket);
      else this.#fail(new TlsRefused('the server does not offer TLS'));
    });
  }

  async #secure(socket: Socket): Promise<void> {
    const host = 'host' in this.#place ? this.#place.host : '';
    let options: ConnectionOptions;
    try {
      options = await tlsOptions(this.#tls);
    } catch (error) {
      return this.#fail(new TlsRefused((error as Error).message, { cause: error }));
    }
    if (this.#socket !== socket) return;
    socket
      .removeAllListeners('error')
      .removeAllListeners('close')
      .on('error', () => undefined);
    const secure = connectTls({ ...options, socket, host, ...(isIP(host) ? {} : { servername: host }) });
    this.#socket = secure;
    const fallBack = (error?: Error): void => {
      this.#giveUp();
      if (this.#untried.length > 0) this.#tryNext();
      else
        this.#fail(
          new TlsRefused(error?.message ?? 'the server closed the connection during the TLS handshake', {
            cause: error,
          }),
        );
    };
    secure.once('error', fallBack);
    secure.once('close', fallBack);
    secure.once('secureConnect', () => {
      secure.off('error', fallBack);
      secure.off('close', fallBack);
      this.#hold(secure);
      this.#use(secure);
    });
  }

  /** Uses the socket for the messages between client and server from now on. */
  #use(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#receive(socket, chunk));
    socket.resume();
    if (this.#startup) socket.write(this.#startup);
    else this.emit('connect');
  }

  #receive(socket: Socket, chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes > this.#maxBytes) {
      this.#giveUp();
      return void this.destroy(new Error(`the server sent more than ${this.#maxBytes} bytes`));
    }
    if (!this.#isAnswered && this.#untried.length > 0 && isRefusal(chunk)) {
      this.#refusal = chunk;
      this.#giveUp();
      this.#tryNext();
      return;
    }
    this.#isAnswered = true;
    this.#startup = undefined;
    if (!this.push(chunk)) socket.pause();
  }

  override _read(): void {
    if (this.#isAnswered) this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.#isAnswered) this.#startup = this.#startup ? Buffer.concat([this.#startup, chunk]) : chunk;
    if (this.#socket) this.#socket.write(chunk, done);
    else done(new Error('the connection is closed'));
  }

  override _final(done: () => void): void {
    this.#socket?.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#giveUp();
    done(error);
  }
}

/**
 * Returns all certificates that this process trusts by default. Those of NODE_EXTRA_CA_CERTS are requested explicitly:
 * imports run in a thread without environment variables, where Node does not include them in its default.
 */
const trusted = () => (['default', 'extra', 'system'] as const).flatMap((kind) => getCACertificates(kind));

/** Returns whether the server proves its identity before anything is sent to it. */
export function isServerVerified({ sslMode, caFile }: Pick<TlsAccess, 'sslMode' | 'caFile'>): boolean {
  return sslMode.startsWith('verify') || (sslMode === 'require' && caFile !== undefined);
}

/** Returns the TLS options. Files are read for each connection, so that renewed certificates are used. */
async function tlsOptions(access: TlsAccess): Promise<ConnectionOptions> {
  const { sslMode, caFile, certFile, keyFile } = access;
  const isVerified = isServerVerified(access);
  const [ca, cert, key] = await Promise.all([caFile, certFile, keyFile].map(async (file) => file && readFile(file)));
  return {
    rejectUnauthorized: isVerified,
    ...(isVerified ? { ca: ca ?? trusted() } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(sslMode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}
