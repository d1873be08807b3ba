import { readFile } from 'node:fs/promises';
import { RegistryError } from '#domain/registry-error.js';

/** The connection that a password is for. */
export interface PasswordTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * Finds the password for a target in a file in libpq's .pgpass format. The first matching line is used, `*` matches
 * anything, and a backslash escapes the next character. Returns undefined if there is none. Unlike in libpq, the mode
 * of the file is not checked, because a mounted Secret is often readable by its group.
 */
export function findPassword(file: string, { host, port, database, user }: PasswordTarget): string | undefined {
  const wanted = [isDefaultSocket(host) ? 'localhost' : host, String(port), database, user];
  for (const line of file.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = splitLine(line);
    const password = fields[wanted.length];
    const isMeant = (value: string, at: number) =>
      matches(fields[at] as Field, value) || (at === 0 && matches(fields[at] as Field, host));
    if (password !== undefined && wanted.every(isMeant)) return password.text;
  }
  return undefined;
}

/**
 * Returns a function that reads the password again for each connection, so that a changed password is used. node-pg
 * calls it with the host.
 */
export function passwordReader(
  file: string,
  { database, user }: Pick<PasswordTarget, 'database' | 'user'>,
): () => Promise<string> {
  return async (...given: unknown[]) => {
    const { host, port } = given[0] as Pick<PasswordTarget, 'host' | 'port'>;
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new RegistryError('DatabaseAuthFailed', `cannot read the passwords in ${file}: ${error.message}`);
    });
    const password = findPassword(text, { host, port, database, user });
    if (password !== undefined) return password;
    throw new RegistryError(
      'DatabaseAuthFailed',
      `${file} has no password for ${host}:${port}:${database}:${user}: add a line that starts with this, with * for any part`,
    );
  };
}

/** Returns whether a host is the default socket directory. libpq looks up such a Unix socket as `localhost`. */
function isDefaultSocket(host: string): boolean {
  return ['/tmp', '/run/postgresql', '/var/run/postgresql'].includes(host.replace(/\/$/, ''));
}

/** Returns the line of a .pgpass file, including the line feed, that sets the password of a target. */
export function pgpassLine({ host, port, database, user }: PasswordTarget, password: string): string {
  return `${[host, String(port), database, user, password].map(escape).join(':')}\n`;
}

interface Field {
  readonly text: string;
  readonly isAny: boolean;
}

function splitLine(line: string): Field[] {
  return [...line.matchAll(/(?:^|:)((?:\\.|[^:\\]|\\$)*)/g)].map(([, raw = '']) => ({
    text: raw.replace(/\\(.)/g, '$1'),
    isAny: raw === '*',
  }));
}

function matches(field: Field, value: string): boolean {
  return field.isAny || field.text === value;
}

function escape(value: string): string {
  return value.replace(/[\\:]/g, '\\$&');
}
