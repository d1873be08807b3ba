import { expect, it } from 'vitest';
import { errorText } from './error-text.js';

const said = (body: unknown, secrets: string[] = []) => errorText(Buffer.from(JSON.stringify(body)), secrets);

it.each<[string, unknown, string | undefined]>([
  [
    'huma without detail',
    {
      title: 'Unprocessable Entity',
      status: 422,
      errors: [{ message: 'expected number <= 30', location: 'query.limit', value: 100 }],
    },
    'Unprocessable Entity; query.limit: expected number <= 30',
  ],
  [
    'huma with a detail',
    { detail: 'validation failed', errors: [{ message: 'unexpected', location: 'query.x' }, { message: 'bare' }] },
    'validation failed; query.x: unexpected; bare',
  ],
  [
    'FastAPI',
    { detail: [{ loc: ['query', 'limit', 0], msg: 'too large', type: 'value_error' }] },
    'query.limit.0: too large',
  ],
  ['a list of texts', { errors: ['first', 'second', 'third', 'fourth'] }, 'first; second; third'],
  ['error before title', { title: 'Bad Request', error: 'no such parameter' }, 'no such parameter'],
  ['items that say nothing', { errors: [null, 7, {}, { location: 'query.x' }] }, undefined],
  ['no object', null, undefined],
])('repeats the error message of %s', (_by, body, text) => {
  expect(said(body)).toBe(text);
});

it('never repeats a secret of a list item', () => {
  expect(said({ detail: [{ loc: ['header', 'authorization'], msg: 'bad token s3cr3t' }] }, ['s3cr3t'])).toBe(
    'header.authorization: bad token …',
  );
});

it('returns nothing for a page', () => {
  expect(errorText(Buffer.from('<html>'))).toBeUndefined();
});
