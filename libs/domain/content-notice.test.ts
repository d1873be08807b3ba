import { expect, it } from 'vitest';
import { contentNotice } from './content-notice.js';

const content = { served: 2, hidden: 0, quarantined: 0 };

it.each([
  [0, undefined],
  [1, 'one field of its entries is null'],
  [12, '12 fields of its entries are null'],
])('counts the fields that were dropped because they are null: %i', (nullsDropped, words) => {
  const notice = contentNotice({ ...content, nullsDropped });
  expect(notice).toEqual(words && { reason: 'NullsDropped', message: expect.stringContaining(words) as string });
});

it.each([
  [0, undefined],
  [1, 'one server has no version'],
  [12, '12 servers have no version'],
])('warns about servers with a default version: %i', (versionsAssumed, words) => {
  const notice = contentNotice({ ...content, versionsAssumed, nullsDropped: 1 });
  expect(notice?.reason).toBe(words ? 'VersionAssumed' : 'NullsDropped');
  if (words) expect(notice?.message).toContain(words);
});

it('prefers the notice that nothing is served', () => {
  expect(contentNotice({ ...content, served: 0, nullsDropped: 3 })?.reason).toBe('SourceEmpty');
});
