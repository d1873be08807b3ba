import { expect, it } from 'vitest';
import { unprotectedNotices } from './unprotected.js';

it.each(['http://registry.example', 'HTTP://10.0.0.1:8080/x', 'http://[fd00::1]/', 'http://127.0.0.1.example.com'])(
  'warns about %s',
  (url) => {
    expect(unprotectedNotices({ 'api.endpoint': url })).toEqual([
      {
        reason: 'CredentialsUnprotected',
        message: expect.stringContaining('set api.endpoint to an https:// URL') as string,
      },
    ]);
  },
);

it.each([
  undefined,
  'https://registry.example',
  'ssh://git@host/x',
  'git@host:x',
  'http://localhost:3000',
  'http://127.0.0.1',
  'http://[::1]:8080/',
])('does not warn about %s', (url) => {
  expect(unprotectedNotices({ 'api.endpoint': url })).toEqual([]);
});
