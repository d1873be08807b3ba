import { expect, it } from 'vitest';
import { REASONS } from '#domain/reasons.js';
import { toShownMessage } from './shown-failure.js';

const PLACE = 'cannot connect to database catalogue at 10.0.0.7:5432 as app';

it('never shows the location of a database', () => {
  const own = REASONS.filter((reason) => /^(Database|Storage|Internal)/.test(reason));
  expect(own.length).toBeGreaterThan(7);
  for (const reason of own)
    expect(toShownMessage(reason, PLACE)).toBe(`${reason}: the log of the server has the cause`);
});

it('shows the error of a source', () => {
  expect(toShownMessage('RefNotFound', 'no branch is called "man"')).toBe('no branch is called "man"');
  expect(toShownMessage(null, null)).toBeNull();
});
