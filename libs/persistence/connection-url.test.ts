import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessOf } from './connection-url.js';
import { databaseFault } from './database-fault.js';

const faultOf = (url: string): string => {
  try {
    accessOf(url);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('a connection URL', () => {
  it.each<[string, object]>([
    ['postgres://', { host: 'localhost', port: 5432, user: 'postgres', database: 'postgres', sslMode: 'prefer' }],
    ['postgresql://u@/d?host=/cloudsql/p:r:i', { host: '/cloudsql/p:r:i', port: 5432, user: 'u', database: 'd' }],
    ['postgresql://u@%2Fvar%2Frun%2Fpostgresql/d', { host: '/var/run/postgresql', database: 'd' }],
    ['postgresql:///d?host=/var/run/postgresql&port=5433', { host: '/var/run/postgresql', port: 5433 }],
    ['postgresql://u:p%40%2F%3F%23@[::1]:6000/d', { host: '::1', port: 6000, password: 'p@/?#' }],
    ['postgresql://u:a#b:c,d&e=f;g h@h/d', { host: 'h', user: 'u', password: 'a#b:c,d&e=f;g h' }],
    [
      'postgresql://u@h1:5433,h2,[::1]:7/d?target_session_attrs=read-write',
      {
        host: 'h1',
        port: 5433,
        others: [
          { host: 'h2', port: 5432 },
          { host: '::1', port: 7 },
        ],
      },
    ],
    ['postgresql://u@h1,h2/d?port=6432', { host: 'h1', port: 6432, others: [{ host: 'h2', port: 6432 }] }],
    ['postgresql://u@/d?host=h1,h2&port=1,2', { host: 'h1', port: 1, others: [{ host: 'h2', port: 2 }] }],
    ['postgresql://u:p@h/d?sslmode=require&channel_binding=require', { sslMode: 'require', channelBinding: 'require' }],
    ['postgresql://u@h/d?channel_binding=prefer&gssencmode=disable&keepalives=1', { host: 'h' }],
    ['postgresql://u@h/d?sslrootcert=system', { sslMode: 'verify-full' }],
    ['postgresql://u@h/d?sslrootcert=system&sslmode=verify-full', { sslMode: 'verify-full' }],
    ['postgresql://u@h/d?sslrootcert=/ca.crt&passfile=/pgpass', { caFile: '/ca.crt', passwordFile: '/pgpass' }],
    ['postgresql://other@h/x?user=u&dbname=d&password=p', { user: 'u', database: 'd', password: 'p' }],
  ])('is parsed like by libpq: %s', (url, expected) => {
    expect(accessOf(url)).toMatchObject(expected);
    if (!('caFile' in expected)) expect(accessOf(url)).not.toHaveProperty('caFile');
  });

  it.each([
    ['mysql://u@h/d', /must begin with postgresql:/],
    [
      'postgresql://u@h/d?pgbouncer=true&connection_limit=1',
      /unknown parameters \(pgbouncer, connection_limit\): leave it out; known are host/,
    ],
    ['postgresql://u@h/d?sslmode=on', /one of disable, allow/],
    ['postgresql://u@h/d?sslrootcert=system&sslmode=require', /too weak for sslrootcert=system/],
    ['postgresql://u@h/d?target_session_attrs=standby', /other than any, read-write and primary/],
    ['postgresql://u@h/d?channel_binding=always', /other than disable, prefer and require/],
    ['postgresql://u@h:70000/d', /not a number from 1 to 65535/],
    ['postgresql://u@h1,h2,h3/d?port=1,2', /2 ports for 3 hosts/],
    ['postgresql://u@h/d?host=a&host=b', /sets a parameter twice/],
    ['postgresql://u:50%@h/d', /not a percent-encoding.*%25/],
  ])('is rejected with a remedy: %s', (url, message) => {
    expect(faultOf(url)).toMatch(message);
  });

  it('never shows a part of its password, however it is written', () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 8,
      maxLength: 24,
    });
    const delimiters = fc.constantFrom(
      '?',
      '/',
      '@',
      ':',
      '#',
      '&',
      '=',
      '%',
      ',',
      '[',
      ']',
      '?sslmode=',
      '?host=',
      '&port=',
      '@h?a=',
      '/d?x=',
    );
    const password = fc.oneof(
      printable,
      fc.tuple(printable, delimiters, printable).map((parts) => parts.join('')),
    );
    const forms = [
      (secret: string) => `postgresql://usr:${secret}@srv:5432/dbn`,
      (secret: string) => `postgresql://usr:${secret}@srv/dbn?sslmode=require`,
      (secret: string) => `postgres://usr:${secret}@srv1,srv2/dbn?pool=1`,
    ];
    const property = fc.property(password, fc.constantFrom(...forms), (secret, form) => {
      const url = form(secret);
      let told = faultOf(url);
      if (told === '') {
        const access = accessOf(url);
        told = databaseFault(new Error('refused'), access).message;
        told += JSON.stringify({ ...access, password: undefined });
      }
      const known = told.toLowerCase();
      for (let at = 0; at + 5 <= secret.length; at++) {
        const part = secret.slice(at, at + 5).toLowerCase();
        if (!WORDS.includes(part)) expect(known).not.toContain(part);
      }
    });
    fc.assert(property, { numRuns: 3000 });
  });
});

/** Words that appear in messages anyway and are therefore no secret. */
const WORDS = [
  faultOf('x://'),
  faultOf('postgres://@@'),
  faultOf('postgres://?a=%'),
  faultOf('postgres://?x=1'),
  faultOf('postgres://?password=1&x=1'),
]
  .concat(['?sslmode=', '?host=', '&port=', 'host:port'], faultOf('postgres://?sslmode=x'), faultOf('postgres://h:x'))
  .concat(databaseFault(new Error('refused'), accessOf('postgresql://usr:x@srv:5432/dbn')).message)
  .concat(JSON.stringify(accessOf('postgres://usr@srv1,srv2/dbn?channel_binding=prefer')))
  .join('\n')
  .toLowerCase();
