import { RegistryError } from '#domain/registry-error.js';
import { SSL_MODES } from '#domain/ssl-mode.js';
import type { SslMode } from '#domain/ssl-mode.js';
import { DEFAULT_PORT } from './database-access.js';
import type { DatabaseAccess, DatabaseHost } from './database-place.js';

/** Parameters that have the same meaning as in libpq (PostgreSQL, section 32.1.2). */
const PARAMETERS = [
  'host',
  'port',
  'user',
  'password',
  'passfile',
  'dbname',
  'options',
  'target_session_attrs',
  'channel_binding',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
] as const;
type Parameter = (typeof PARAMETERS)[number];

/** Parameters that are ignored, because this program sets its own values or does not use the feature. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'application_name',
  'fallback_application_name',
  'connect_timeout',
  'gssencmode',
  'tcp_user_timeout',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
]);

/** The parts of `postgresql://[user[:password]@][host[:port],…][/database][?parameters]`, still percent-encoded. */
const URL_FORM = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^@/?]*)(?:\/([^@?]*))?(?:\?([^@]*))?$/;

/**
 * Parses a connection URL as libpq does, including several hosts and Unix sockets. Throws a RegistryError that says
 * what is wrong. No message repeats a value, because part of a password that is not percent-encoded can end up in any
 * position.
 */
export function accessOf(url: string): DatabaseAccess {
  const [, userinfo = '', hosts = '', path = '', query = ''] = URL_FORM.exec(url) ?? refuseForm(url);
  const given = parseParameters(query);
  const colon = userinfo.indexOf(':');
  const [name, secret] = colon < 0 ? [userinfo, ''] : [userinfo.slice(0, colon), userinfo.slice(colon + 1)];
  const user = given.get('user') ?? (decode(name) || 'postgres');
  demandWritable(given.get('target_session_attrs'));
  const [first, ...others] = hostsOf(hosts, given);
  return {
    ...(first as DatabaseHost),
    ...(others.length > 0 && { others }),
    user,
    database: given.get('dbname') ?? (decode(path) || user),
    ...tlsOf(given),
    ...channelBindingOf(given.get('channel_binding')),
    ...optional('password', given.get('password') ?? decode(secret)),
    ...optional('passwordFile', given.get('passfile')),
    ...optional('options', given.get('options')),
    ...optional('certFile', given.get('sslcert')),
    ...optional('keyFile', given.get('sslkey')),
  };
}

function refuseForm(url: string): never {
  if (!/^postgres(ql)?:\/\//.test(url))
    throw invalid('must begin with postgresql://, as in postgresql://user@host:5432/registry');
  throw invalid('has a "@", "/" or "?" where it is not allowed: write it in the password as %40, %2F or %3F');
}

function parseParameters(query: string): ReadonlyMap<Parameter, string> {
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split(/=(.*)/s, 2).map(decode));
  const names = pairs.map(([name = '']) => name);
  const foreign = names.filter((name) => !isKnown(name) && !WITHOUT_EFFECT.has(name));
  if (foreign.length > 0) {
    // If the password contains an unescaped "&", the part after it is parsed as the name of another parameter, so the
    // message must not repeat unknown names.
    const isSecret = names.includes('password') || !foreign.every((name) => /^[a-z_]{1,40}$/i.test(name));
    const which = isSecret
      ? 'an unknown parameter, or an unescaped "&" in its password'
      : `unknown parameters (${foreign.join(', ')})`;
    throw invalid(`has ${which}: leave it out; known are ${PARAMETERS.join(', ')}`);
  }
  if (new Set(names).size < names.length) throw invalid('sets a parameter twice');
  return new Map(pairs.flatMap(([name = '', value = '']) => (isKnown(name) && value !== '' ? [[name, value]] : [])));
}

function isKnown(name: string): name is Parameter {
  return (PARAMETERS as readonly string[]).includes(name);
}

/**
 * Returns the hosts. The parameters `host` and `port` take precedence over the rest of the URL. A single port applies
 * to all hosts.
 */
function hostsOf(written: string, given: ReadonlyMap<Parameter, string>): DatabaseHost[] {
  const places = written.split(',').map((each) => /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(each) ?? [each, each]);
  const hosts =
    given.get('host')?.split(',') ?? places.map(([, host = '']) => decode(host.replace(/^\[(.*)\]$/, '$1')));
  const ports = given.get('port')?.split(',') ?? places.map(([, , port = '']) => decode(port));
  if (ports.length !== 1 && ports.length !== hosts.length) {
    throw invalid(`has ${ports.length} ports for ${hosts.length} hosts: give one for all, or one for each`);
  }
  return hosts.map((host, at) => ({
    host: host || 'localhost',
    port: toPort(ports.length === 1 ? (ports[0] as string) : (ports[at] as string)),
  }));
}

function toPort(text: string): number {
  if (text === '') return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw invalid(
    'has a port that is not a number from 1 to 65535; or write "/", ":" and "@" of the password as %2F, %3A and %40',
  );
}

/** Rejects settings that would accept a standby, because the database must be writable. */
function demandWritable(attributes = 'any'): void {
  if (['any', 'read-write', 'primary'].includes(attributes)) return;
  throw invalid('has target_session_attrs other than any, read-write and primary: the database is written to');
}

function channelBindingOf(text = 'prefer'): { channelBinding?: 'require' } {
  if (text === 'require') return { channelBinding: 'require' };
  if (text === 'prefer' || text === 'disable') return {};
  throw invalid('has channel_binding other than disable, prefer and require');
}

/**
 * Returns the TLS settings. `sslrootcert=system` selects the authorities of the system and, as in libpq, requires that
 * the server is verified.
 */
function tlsOf(given: ReadonlyMap<Parameter, string>): { sslMode: SslMode; caFile?: string } {
  const [mode, rootCertificate] = [given.get('sslmode'), given.get('sslrootcert')];
  if (rootCertificate !== 'system')
    return { sslMode: toSslMode(mode ?? 'prefer'), ...optional('caFile', rootCertificate) };
  const sslMode = toSslMode(mode ?? 'verify-full');
  if (sslMode === 'verify-full') return { sslMode };
  throw invalid(`has an sslmode (${sslMode}) that is too weak for sslrootcert=system: use verify-full`);
}

function toSslMode(text: string): SslMode {
  const mode = SSL_MODES.find((known) => known === text);
  if (!mode) throw invalid(`has an sslmode that is not one of ${SSL_MODES.join(', ')}`);
  return mode;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a "%" that is not a percent-encoding: write a "%" in the password as %25');
  }
}

function invalid(message: string): RegistryError {
  return new RegistryError('ValidationFailed', message, 'stop');
}

function optional<Name extends string>(name: Name, value: string | undefined): { [name in Name]?: string } {
  return value ? ({ [name]: value } as { [name in Name]: string }) : {};
}
