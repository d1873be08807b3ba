import { expect, it } from 'vitest';
import { requestId } from './request-id.js';

it('accepts the id of a client if it is valid, and creates a unique one otherwise', () => {
  expect(requestId({ headers: { 'x-request-id': '4bf92f35-77b3:1.a' } })).toBe('4bf92f35-77b3:1.a');
  const odd = ['', 'a b', 'a\nb', 'ü', 'x'.repeat(65), '{"level":60}'];
  const made = [undefined, ...odd].map((given) =>
    requestId({ headers: given === undefined ? {} : { 'x-request-id': given } }),
  );
  expect(new Set(made).size).toBe(odd.length + 1);
  for (const id of made) expect(id).toMatch(/^[\w-]{8}-[a-z\d]+$/);
});
