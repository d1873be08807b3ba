import { parseGoDuration } from '#domain/go-duration.js';
import { RegistryError } from '#domain/registry-error.js';
import { SSL_MODES } from '#domain/ssl-mode.js';
import type { SslMode } from '#domain/ssl-mode.js';
import type { Database, DatabaseAccess } from './database.js';

export const DEFAULT_PORT = 5432;

/** The longest lifetime that a timer can count; a longer one never ends. */
const LONGEST_LIFETIME_SECONDS = 2_147_483;

/** What a `databaseConfig` says of this, its defaults filled in. */
interface DatabaseSpec {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly migrationUser: string;
  readonly database: string;
  readonly sslMode: SslMode;
  readonly maxOpenConns: number;
  readonly maxIdleConns: number;
  readonly connMaxLifetime: string;
}

/** The database of a `databaseConfig`, both passwords in one file. */
export function databaseOf(spec: DatabaseSpec, files: { passwordFile?: string; caFile?: string }): Database {
  const { host, port, database, sslMode, maxOpenConns, maxIdleConns, connMaxLifetime } = spec;
  const lifetimeSeconds = Math.ceil((parseGoDuration(connMaxLifetime) ?? 0) / 1000);
  const pool = {
    maxConnections: maxOpenConns,
    // One of the idle connections is outside of the pool: the one that listens for changes.
    maxIdle: Math.max(0, Math.min(maxIdleConns, maxOpenConns) - 1),
    maxLifetimeSeconds: lifetimeSeconds > LONGEST_LIFETIME_SECONDS ? 0 : lifetimeSeconds,
  };
  const common = { host, port, database, sslMode, pool, ...files };
  return {
    app: { ...common, user: spec.user },
    migrator: { ...common, user: spec.migrationUser },
  };
}

/** Parameters of a connection URL beside user, password, host, port and database; they mean what they mean to libpq. */
const URL_PARAMETERS = ['host', 'port', 'user', 'password', 'dbname', 'options'] as const;
const TLS_PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const;
/** We have our own. */
const WITHOUT_EFFECT = ['application_name', 'connect_timeout'];

/** The database that a connection URL names. Throws a RegistryError about a parameter that would be ignored. */
export function accessOf(url: string): DatabaseAccess {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const understood: readonly string[] = [...URL_PARAMETERS, ...TLS_PARAMETERS, ...WITHOUT_EFFECT];
  const foreign = [...searchParams.keys()].filter((name) => !understood.includes(name));
  if (foreign.length > 0) {
    const known = [...URL_PARAMETERS, ...TLS_PARAMETERS].join(', ');
    // What follows a "?" in a password looks like a parameter.
    if (!foreign.every((name) => /^[a-z_]{1,40}$/.test(name))) {
      throw invalid('has a parameter that is not known, or a "?" in its password: write that as %3F');
    }
    throw invalid(`does not know the parameter ${foreign.join(', ')}: leave it out; known are ${known}`);
  }
  const given = (name: (typeof URL_PARAMETERS)[number] | (typeof TLS_PARAMETERS)[number], part = '') =>
    searchParams.get(name) ?? decodeURIComponent(part);
  const user = given('user', username) || 'postgres';
  const tls = tlsOf(given('sslmode'), given('sslrootcert'));
  return {
    host: given('host', hostname.replace(/^\[(.+)\]$/, '$1')) || 'localhost',
    port: Number(given('port', port) || DEFAULT_PORT),
    user,
    database: given('dbname', pathname.slice(1)) || user,
    ...tls,
    ...optional('password', given('password', password)),
    ...optional('options', given('options')),
    ...optional('certFile', given('sslcert')),
    ...optional('keyFile', given('sslkey')),
  };
}

/** `sslrootcert=system` means the authorities of the system and, as with libpq, that the server is verified. */
function tlsOf(mode: string, rootCertificate: string): { sslMode: SslMode; caFile?: string } {
  if (rootCertificate !== 'system')
    return { sslMode: toSslMode(mode || 'prefer'), ...optional('caFile', rootCertificate) };
  const sslMode = toSslMode(mode || 'verify-full');
  if (sslMode === 'verify-full') return { sslMode };
  throw invalid(`sslmode ${sslMode} is too weak for sslrootcert=system: use verify-full`);
}

function toSslMode(text: string): SslMode {
  const mode = SSL_MODES.find((known) => known === text);
  if (!mode) throw invalid(`sslmode ${text} is not one of ${SSL_MODES.join(', ')}`);
  return mode;
}

function invalid(message: string): RegistryError {
  return new RegistryError('ValidationFailed', message, 'stop');
}

function optional<Name extends string>(name: Name, value: string): { [name in Name]?: string } {
  return value ? ({ [name]: value } as { [name in Name]: string }) : {};
}
