import { expect, it } from 'vitest';
import { withoutCredentials } from './without-credentials.js';

it.each([
  ['cannot fetch https://u:p@host/x: 404', 'cannot fetch https://host/x: 404'],
  ['"https://u:p@w@host"', '"https://host"'],
  ['https://u@a, ssh://b and\n//c:d@e', 'https://a, ssh://b and\n//e'],
  ['git@host:x/y.git', 'git@host:x/y.git'],
  ['//@host', '//host'],
  ['nothing // and a@b', 'nothing // and a@b'],
])('removes user and password from %j', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});
