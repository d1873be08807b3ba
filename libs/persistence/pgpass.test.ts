import { describe, expect, it } from 'vitest';
import { findPassword, pgpassLine } from './pgpass.js';

const target = { host: 'db.example.com', port: 5432, database: 'registry', user: 'db_app' };

describe('a pgpass file', () => {
  it('returns the password of the first line that matches', () => {
    const file = [
      '# host:port:database:user:password',
      'db.example.com:5433:registry:db_app:other port',
      'db.example.com:5432:registry:db_migrator:other user',
      'db.example.com:5432:registry:db_app:first',
      'db.example.com:5432:registry:db_app:second',
    ].join('\n');
    expect(findPassword(file, target)).toBe('first');
    expect(findPassword(file, { ...target, user: 'nobody' })).toBeUndefined();
  });

  it('treats the usual Unix sockets as localhost, and by their directories', () => {
    const file = 'localhost:5432:registry:db_app:local\n/srv/pg:5432:registry:db_app:other\n';
    expect(findPassword(file, { ...target, host: '/var/run/postgresql' })).toBe('local');
    expect(findPassword(file, { ...target, host: '/srv/pg' })).toBe('other');
    expect(findPassword(`/tmp:*:*:*:own\n${file}`, { ...target, host: '/tmp' })).toBe('own');
  });

  it('treats a star as a wildcard, but not an escaped one', () => {
    expect(findPassword('*:*:*:db_app:any\n', target)).toBe('any');
    expect(findPassword('*:*:*:\\*:literal\n', target)).toBeUndefined();
    expect(findPassword('*:*:*:\\*:literal\n', { ...target, user: '*' })).toBe('literal');
  });

  it.each([
    ['Windows line ends', 'db.example.com:5432:registry:db_app:secret\r\n'],
    ['no line end', 'db.example.com:5432:registry:db_app:secret'],
    ['escapes that are not needed', 'db.example\\.com:5432:registry:db_app:\\s\\e\\c\\r\\e\\t'],
    ['something behind the password', 'db.example.com:5432:registry:db_app:secret:ignored'],
  ])('is parsed with %s', (_, file) => {
    expect(findPassword(file, target)).toBe('secret');
  });

  it.each(['', '\n\n', 'db.example.com', 'db.example.com:5432:registry:db_app', '::::'])(
    'has no password in a line like "%s"',
    (file) => {
      expect(findPassword(file, target)).toBeUndefined();
    },
  );

  it.each([
    ['a colon', 'a:b'],
    ['a backslash', 'a\\b'],
    ['both, at the end', 'ab:\\'],
    ['a star', '*'],
    ['a leading hash', '#secret'],
    ['spaces', ' a b '],
    ['letters beyond ASCII', 'pässwörd 🔑'],
    ['an IPv6 address as host', 'x', '::1'],
  ])('can be read back after it was written with %s', (_, password, host = 'db:\\.example') => {
    const awkward = { host, port: 5432, database: 'a:b', user: 'c\\d' };
    const file = pgpassLine(target, 'another') + pgpassLine(awkward, password);
    expect(findPassword(file, awkward)).toBe(password);
    expect(findPassword(file, target)).toBe('another');
  });
});
