import pg from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { clientConfig } from './client-config.js';
import type { ClientOptions } from './client-config.js';
import { DEFAULT_PORT } from './database-access.js';
import type { DatabaseAccess } from './database-place.js';
import { isServerVerified } from './negotiated-socket.js';

/** The parts of node-pg's client that are missing from its types. */
declare module 'pg' {
  interface Client {
    /** Null once the server has proven that it knows the password. */
    readonly saslSession?: { readonly mechanism: string } | null;
    _handleAuthSASL(message: { readonly mechanisms: readonly string[] }): void;
    _handleAuthSASLFinal(message: unknown): void;
    _handleReadyForQuery(message: unknown): void;
    _handleAuthMD5Password(message: unknown): void;
    _handleAuthCleartextPassword(message: unknown): void;
  }
}

/** The SASL mechanism that is bound to the server's certificate (RFC 5802, section 6). */
const BOUND_MECHANISM = 'SCRAM-SHA-256-PLUS';

/**
 * A client that checks how the server authenticates it. A clear-text password is sent only to a verified server,
 * because an impostor could ask for it just to learn the password. With `channelBinding`, the client accepts only the
 * proof that is bound to the server's certificate.
 */
export class GuardedLogin extends pg.Client {
  readonly #access: DatabaseAccess;
  #isBound = false;

  constructor(access: DatabaseAccess, options: ClientOptions) {
    super(clientConfig(access, options));
    this.#access = access;
  }

  override _handleAuthSASL(message: { readonly mechanisms: readonly string[] }): void {
    if (this.#access.channelBinding && !message.mechanisms.includes(BOUND_MECHANISM)) this.#refuse(unbound);
    else super._handleAuthSASL(message);
  }

  /**
   * Records whether the server has proven itself with the bound mechanism. node-pg clears its SASL session only if the
   * server's signature is correct, but it does not notice if this message never arrives.
   */
  override _handleAuthSASLFinal(message: unknown): void {
    const hasBoundMechanism = this.saslSession?.mechanism === BOUND_MECHANISM;
    if (this.#access.channelBinding && !hasBoundMechanism) return this.#refuse(unproven);
    super._handleAuthSASLFinal(message);
    this.#isBound = hasBoundMechanism && this.saslSession === null;
  }

  override _handleAuthMD5Password(message: unknown): void {
    if (this.#access.channelBinding) this.#refuse(unbound);
    else super._handleAuthMD5Password(message);
  }

  override _handleAuthCleartextPassword(message: unknown): void {
    if (this.#access.channelBinding) this.#refuse(unbound);
    else if (this.host.startsWith('/') || isServerVerified({ sslMode: 'prefer', ...this.#access }))
      super._handleAuthCleartextPassword(message);
    else this.#refuse(clearTextRefused);
  }

  /**
   * Refuses an unproven server at the first ReadyForQuery, which ends the authentication. Statements are sent after it,
   * so this is the last moment to do so.
   */
  override _handleReadyForQuery(message: unknown): void {
    if (this.#access.channelBinding && !this.#isBound) this.#refuse(unproven);
    else super._handleReadyForQuery(message);
  }

  /** Fails and closes the connection. A pool drops connections that fail. */
  #refuse(toMessage: (place: string, access: DatabaseAccess) => string): void {
    const { host, port = DEFAULT_PORT } = this;
    const message = toMessage(`the server at ${host}:${port}`, this.#access);
    this.connection.emit('error', new RegistryError('DatabaseAuthFailed', message));
    this.connection.stream.destroy();
  }
}

function clearTextRefused(server: string, { sslMode = 'prefer' }: DatabaseAccess): string {
  return (
    `${server} asks for the password in clear text, and sslMode ${sslMode} does not verify that it is the right server: ` +
    'choose verify-full or verify-ca, or the method scram-sha-256 in its pg_hba.conf'
  );
}

function unbound(server: string): string {
  return (
    `${server} does not offer channel binding, which channel_binding=require demands: turn TLS and scram-sha-256 on in that ` +
    'server, or leave channel_binding out'
  );
}

function unproven(server: string): string {
  return (
    `${server} lets the client in without proving by ${BOUND_MECHANISM} that it knows the password, as channel_binding=require ` +
    'demands: check that nothing answers in place of the database'
  );
}
