import { boundedMessage, RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import { shortened } from '#domain/shortened.js';
import { DEFAULT_PORT } from './database-access.js';
import type { DatabaseAccess } from './database-place.js';
import { TlsRefused } from './negotiated-socket.js';

interface Kind {
  readonly reason: Reason;
  readonly destiny: Destiny;
  isMeant(fault: Fault): boolean;
  remedy(fault: Fault, access: DatabaseAccess): string;
}

interface Fault {
  readonly error: unknown;
  /** An SQLSTATE or a Node.js error code. */
  readonly code: string;
  readonly message: string;
}

/** Maximum length of the server's own message within an error message, in UTF-16 code units. */
const QUOTED_LIMIT = 1024;

/** The kinds of database errors. The first one that matches is used. */
const KINDS: readonly Kind[] = [
  {
    reason: 'DatabaseTLSFailed',
    destiny: 'wait',
    isMeant: ({ error, code }) => error instanceof TlsRefused || /^ERR_(SSL|TLS)_/.test(code),
    remedy: ({ message }, { sslMode }) =>
      /does not (offer|know)/.test(message)
        ? `turn TLS on in that server, or choose another sslMode than ${sslMode}`
        : 'check that the given CA certificate is that of the server, and that its certificate names this host; ' +
          'sslMode verify-ca does not check the name, and require without a CA checks nothing',
  },
  {
    reason: 'DatabaseAuthFailed',
    destiny: 'wait',
    isMeant: ({ code, message }) => code.startsWith('28') || /^SASL|password must be a string/i.test(message),
    remedy: ({ message }, { user }) =>
      message.includes('pg_hba.conf')
        ? 'allow this user in pg_hba.conf to connect from here, or choose the sslMode that it requires'
        : `check that role ${user} exists, may log in, and has this password`,
  },
  {
    reason: 'DatabasePermissionDenied',
    destiny: 'wait',
    isMeant: ({ code }) => code === '42501',
    remedy: (_, { database, user }) =>
      `grant it, as owner of the database: GRANT CONNECT ON DATABASE ${database} TO ${user}; ` +
      'the migrating role also needs GRANT USAGE, CREATE ON SCHEMA public, and the app role what migrations grant it',
  },
  {
    reason: 'DatabaseNotMigrated',
    destiny: 'retry',
    isMeant: ({ code }) => code === '42P01' || code === '3F000',
    remedy: () => 'the migrations create its tables: check that they have run',
  },
  {
    reason: 'DatabasePooled',
    destiny: 'wait',
    isMeant: ({ code, message }) => code === '08P01' && message.includes('startup parameter'),
    remedy: () =>
      'a connection pooler such as PgBouncer responds there: use the address of the Postgres server itself, or ' +
      'pool_mode session, with ignore_startup_parameters = options if a URL has options',
  },
  {
    reason: 'DatabaseUnreachable',
    destiny: 'retry',
    isMeant: () => true,
    remedy: ({ code }, { database }) =>
      code === '3D000'
        ? `create it: CREATE DATABASE ${database}`
        : (REMEDIES.get(code) ?? 'check host and port, and that the server runs and accepts connections from here'),
  },
];

/**
 * Remedies by SQLSTATE. They do not mention the address, because it must be correct if the server sends an SQLSTATE.
 */
const REMEDIES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    '22023': 'correct the setting that the message names, in the options or on the server',
    '25006':
      'it accepts no writes: name the primary instead of a standby, or find out why the server is read-only (a full disk?)',
    '53300': 'raise max_connections of the server, or lower databaseConfig.maxOpenConns',
    '55P03': 'another process has held the lock for too long: see pg_stat_activity for one that is stuck',
  }),
);

/**
 * Describes a database failure for the user: host, role, the server's message and the remedy. The description never
 * contains a password. If the address is not that of a Postgres server, the description does not reveal what answers
 * there.
 */
export function databaseFault(error: unknown, access: DatabaseAccess, task = 'connect to'): RegistryError {
  if (error instanceof RegistryError) return error;
  const fault = { error, code: codeOf(error), message: shortened(messageOf(error), QUOTED_LIMIT) };
  const { reason, destiny, remedy } = KINDS.find((kind) => kind.isMeant(fault)) as Kind;
  const place = `cannot ${task} ${describeAccess(access)}`;
  const message = `${place}: ${fault.message}; ${remedy(fault, access)}`;
  const detail = `${reason}: ${message}`;
  return isProven(reason, fault)
    ? new DatabaseFault(reason, message, destiny, { cause: error, detail })
    : new DatabaseFault('DatabaseUnreachable', `${place}: ${UNPROVEN}`, 'retry', { cause: error, detail });
}

/**
 * A database failure. Its message distinguishes failures only after a Postgres server has answered. `detail` always
 * distinguishes them, and is meant for logs and terminals.
 */
export class DatabaseFault extends RegistryError {
  readonly detail: string;

  constructor(
    reason: Reason,
    message: string,
    destiny: Destiny,
    { detail, cause }: { readonly detail: string; readonly cause: unknown },
  ) {
    super(reason, message, destiny, { cause });
    this.detail = boundedMessage(detail);
  }
}

/**
 * Returns all that is known about a failure, as `reason: message`, for readers who may know what answers at an address.
 */
export function detailOf(error: unknown): string {
  if (error instanceof DatabaseFault) return error.detail;
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof RegistryError ? `${error.reason}: ${message}` : message;
}

const UNPROVEN =
  'no Postgres server responds there in the way that this connection requires; check host, port and sslMode, and that the server ' +
  'runs and accepts connections from here. The log of the pod has the cause';

/** An SQLSTATE: a class of two characters, then three characters. */
const SQLSTATE = /^(\d[\dA-Z]|F0|HV|P0|XX)[\dA-Z]{3}$/;
/**
 * Matches certificate errors, which occur only after a server has agreed to TLS in the Postgres protocol, and the
 * refusal of TLS in that protocol.
 */
const TLS_ANSWERED = /certificate|altname|self.signed|the server does not offer TLS/i;

/**
 * Returns whether the peer has shown that it is a Postgres server. The address comes from the spec, so a status that
 * distinguished a closed port, an unknown name and another service would turn the registry's pod into a scanner of the
 * cluster's network.
 */
function isProven(reason: Reason, { error, code, message }: Fault): boolean {
  // A failure to read our own certificate files also proves a Postgres server, because they are read only after the
  // server has agreed to TLS.
  if (error instanceof TlsRefused && (error.cause as NodeJS.ErrnoException | undefined)?.path !== undefined)
    return true;
  if (reason === 'DatabaseTLSFailed') return TLS_ANSWERED.test(`${code} ${message}`);
  return reason !== 'DatabaseUnreachable' || SQLSTATE.test(code);
}

function describeAccess({ host, port = DEFAULT_PORT, user, database, sslMode = 'prefer' }: DatabaseAccess): string {
  const place = host.startsWith('/') ? host : `${host}:${port}`;
  return `database ${database} at ${place} as ${user}${host.startsWith('/') ? '' : ` with sslMode ${sslMode}`}`;
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/**
 * Returns the message of an error. If a host name has several addresses, the error is an AggregateError with an empty
 * message.
 */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const causes = error instanceof AggregateError ? error.errors.map((cause: Error) => cause.message) : [];
  return error.message || causes.join(', ') || codeOf(error) || error.name;
}
