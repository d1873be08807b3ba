import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor, MAX_FILTER_VALUES } from './cursor.js';

const after = { name: 'io.example/ünï😀', version: '1.0.0+build/5' };

describe('a cursor', () => {
  it.each([{}, { search: 'a+b&c=%', version: 'latest' }, { updatedSinceMs: 1.5, includeDeleted: true }])(
    'contains its position and the filter %j',
    (filter) => {
      expect(decodeCursor(encodeCursor({ after, filter }))).toEqual({ after, filter });
    },
  );

  it('needs no encoding in a URL', () => {
    expect(encodeCursor({ after, filter: { search: '???>>>' } })).toMatch(/^[\w-]+$/);
  });

  const encode = (text: string | Buffer) => Buffer.from(text as string).toString('base64url');
  const many = Array.from({ length: MAX_FILTER_VALUES + 1 }, String);
  it.each([
    ['nothing', ''],
    ['other text', 'hello'],
    ['standard base64', Buffer.from('["??>",">>?",{}]').toString('base64')],
    ['padding', `${encode('["a","b",{}]')}=`],
    ['bits behind the end', `${encode('["a","b",{}]').slice(0, -1)}x?`],
    ['the cursor of another server', encode('io.example/a,1.0.0')],
    ['too little', encode('["a","b"]')],
    ['too much', encode('["a","b",{},{}]')],
    ['a filter that there is not', encode('["a","b",{"owner":"x"}]')],
    ['a filter that no list has', encode('["a","b",{"displayNames":["x"]}]')],
    ['a filter with more values than a list accepts', encode(JSON.stringify(['a', 'b', { tags: many }]))],
    ['a filter of another type', encode('["a","b",{"search":1}]')],
    ['bytes that are no UTF-8', encode(Buffer.from('["\xff","b",{}]', 'latin1'))],
  ])('is not %s', (_, text) => {
    expect(decodeCursor(text)).toBeUndefined();
  });
});
