import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
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
  /** An SQLSTATE, or the code of Node. */
  readonly code: string;
  readonly message: string;
}

/** The first that is meant counts. */
const KINDS: readonly Kind[] = [
  {
    reason: 'DatabaseTLSFailed',
    destiny: 'wait',
    isMeant: ({ error, code }) => error instanceof TlsRefused || /^ERR_(SSL|TLS)_/.test(code),
    remedy: ({ message }, { sslMode }) =>
      /does not (offer|know)/.test(message)
        ? `turn TLS on in that server, or choose another sslMode than ${sslMode}`
        : 'check that the CA certificate given is that of the server, and that its certificate names this host; ' +
          'sslMode verify-ca does not look at the name, require without a CA at nothing',
  },
  {
    reason: 'DatabaseAuthFailed',
    destiny: 'wait',
    isMeant: ({ code, message }) => code.startsWith('28') || /^SASL|password must be a string/i.test(message),
    remedy: ({ message }, { user }) =>
      message.includes('pg_hba.conf')
        ? 'let pg_hba.conf admit this user from here, or choose the sslMode that it asks for'
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
    remedy: () => 'its tables are made when the migrations have run',
  },
  {
    reason: 'DatabasePooled',
    destiny: 'wait',
    isMeant: ({ code, message }) => code === '08P01' && message.includes('startup parameter'),
    remedy: () =>
      'a connection pooler such as PgBouncer answers there: give the address of the Postgres server itself, or use ' +
      'pool_mode session, with ignore_startup_parameters = options where a URL has options',
  },
  {
    reason: 'DatabaseUnreachable',
    destiny: 'retry',
    isMeant: () => true,
    remedy: ({ code }, { database }) =>
      code === '3D000'
        ? `create it: CREATE DATABASE ${database}`
        : (REMEDIES[code] ?? 'check host and port, and that the server runs and takes connections from here'),
  },
];

/** By SQLSTATE: the server was reached, so its address is not at fault. */
const REMEDIES: Readonly<Record<string, string>> = {
  '22023': 'correct the setting that it names, in options or on the server',
  '25006':
    'it takes no writes: name the primary instead of a standby, or see why the server was made read-only (a full disk?)',
  '53300': 'raise max_connections of the server, or lower databaseConfig.maxOpenConns',
  '55P03': 'another process has held the lock for too long: see pg_stat_activity for one that is stuck',
};

/** What is wrong with a database, in words for the user: where, as whom, what the server said and what helps. Never a password. */
export function databaseFault(error: unknown, access: DatabaseAccess, task = 'connect to'): RegistryError {
  if (error instanceof RegistryError) return error;
  const fault = { error, code: codeOf(error), message: messageOf(error) };
  const { reason, destiny, remedy } = KINDS.find((kind) => kind.isMeant(fault)) as Kind;
  const said = `cannot ${task} ${describeAccess(access)}: ${fault.message}; ${remedy(fault, access)}`;
  return new RegistryError(reason, said, destiny, { cause: error });
}

function describeAccess({ host, port = DEFAULT_PORT, user, database, sslMode = 'prefer' }: DatabaseAccess): string {
  const place = host.startsWith('/') ? host : `${host}:${port}`;
  return `database ${database} at ${place} as ${user}${host.startsWith('/') ? '' : ` with sslMode ${sslMode}`}`;
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** A host name with several addresses fails with an AggregateError, whose own message is empty. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const causes = error instanceof AggregateError ? error.errors.map((cause: Error) => cause.message) : [];
  return error.message || causes.join(', ') || codeOf(error) || error.name;
}
