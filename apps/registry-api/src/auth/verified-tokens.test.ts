import { expect, it } from 'vitest';
import type { Caller } from './caller.js';
import { VerifiedTokens } from './verified-tokens.js';

const caller = (subject: string, scopes: readonly string[] = []): Caller => ({
  provider: 'idp',
  subject,
  scopes: new Set(scopes),
});

it('does not cache a caller that takes much memory', () => {
  const tokens = new VerifiedTokens();
  tokens.keep('usual', caller('user', ['read', 'write']), undefined, 0);
  tokens.keep('long subject', caller('x'.repeat(5_000)), undefined, 0);
  tokens.keep(
    'many scopes',
    caller(
      'user',
      Array.from({ length: 200 }, (_, at) => `${at}`),
    ),
    undefined,
    0,
  );
  expect(tokens.find('usual', 1)?.subject).toBe('user');
  expect([tokens.find('long subject', 1), tokens.find('many scopes', 1)]).toEqual([undefined, undefined]);
});
