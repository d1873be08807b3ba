/** What a password is for. */
export interface PasswordTarget {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password that a file in libpq's .pgpass format has for the target: the first line that matches counts, `*` stands
 * for anything, a backslash takes the meaning from the character behind it. Undefined when there is none. Unlike in
 * libpq, the mode of the file is not checked: a mounted Secret is often readable by its group.
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

/** Where servers listen unless they are told otherwise: libpq looks such a Unix socket up as `localhost`. */
function isDefaultSocket(host: string): boolean {
  return ['/tmp', '/run/postgresql', '/var/run/postgresql'].includes(host.replace(/\/$/, ''));
}

/** The line, with its end, that gives the target this password. */
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
