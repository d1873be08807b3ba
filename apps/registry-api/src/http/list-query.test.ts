import { describe, expect, it } from 'vitest';
import { encodeCursor } from '#read-model/cursor.js';
import { ListQuerySchema } from './list-query.js';
import { parseQueryString } from './query-string.js';

const parse = (text: string) => ListQuerySchema.safeParse(parseQueryString(text));
const query = (text: string) => parse(text).data;
const faults = (text: string) => parse(text).error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`);

describe('the query of a list', () => {
  it('has defaults', () => {
    expect(query('')).toEqual({ filter: {}, limit: 30 });
    expect(query('cursor=&search=&version=')).toEqual({ filter: {}, limit: 30 });
  });

  it('decodes form encoding once', () => {
    expect(query('search=a+b%2Bc%2520')?.filter).toEqual({ search: 'a b+c%20' });
    expect(query('se%61rch=x')?.filter).toEqual({ search: 'x' });
  });

  it.each([
    ['1', 1],
    ['007', 7],
    ['1000', 1000],
    ['1001', 1000],
    ['9'.repeat(400), 1000],
  ])('interprets the limit %s as %i', (text, limit) => {
    expect(query(`limit=${text}`)?.limit).toBe(limit);
  });

  it.each(['true', 'True', '1'])('includes tombstones for %s', (text) => {
    expect(query(`include_deleted=${text}`)?.filter).toEqual({ includeDeleted: true });
  });

  it('includes tombstones in a list of changes', () => {
    expect(query('updated_since=1970-01-01T00:00:01Z')?.filter).toEqual({ updatedSinceMs: 1000, includeDeleted: true });
    expect(faults('updated_since=1970-01-01T00:00:01Z&include_deleted=false')).toHaveLength(1);
  });

  it('continues with the filter of the cursor, unless it has its own', () => {
    const after = { name: 'a/b', version: '1' };
    const cursor = encodeCursor({ after, filter: { search: 'old', version: 'latest' } });
    expect(query(`cursor=${cursor}&limit=2`)).toEqual({
      after,
      filter: { search: 'old', version: 'latest' },
      limit: 2,
    });
    expect(query(`cursor=${cursor}&search=new`)?.filter).toEqual({ search: 'new', version: 'latest' });
  });

  it('treats several values as alternatives, except for tags, which must all match', () => {
    expect(
      query('tag=a,b&tag_any=c,%20d,&transport=sse,stdio&registry_type=npm,oci&source=x,y&status=deprecated')?.filter,
    ).toEqual({
      tags: ['a', 'b'],
      tagsAny: ['c', 'd'],
      transports: ['sse', 'stdio'],
      registryTypes: ['npm', 'oci'],
      sources: ['x', 'y'],
      status: 'deprecated',
    });
    expect(query('tag_any=&registry_type=,&source=')?.filter).toEqual({});
    expect(faults('transport=sse,http&status=deleted')).toEqual([
      'transport must be stdio, sse or streamable-http, or several of them, separated by commas',
      'status must be active or deprecated',
    ]);
    const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`).join(',');
    expect(query(`source=${names(50)}`)?.filter.sources).toHaveLength(50);
    expect(faults(`source=${names(51)}`)).toEqual(['source must have at most 50 values']);
  });

  it('ignores unknown parameters, repeated or not', () => {
    expect(query('a=1&a=2&b[]=3&__proto__=x&constructor[prototype]=y&LIMIT=0')).toEqual({ filter: {}, limit: 30 });
  });

  it('reports the error of every parameter', () => {
    expect(faults('limit=0&search=a&search=b&cursor=x')).toEqual([
      'cursor was not issued by this server: start again without it',
      'limit must be a whole number from 1; larger values count as 1000',
      'search must be given once, as plain text',
    ]);
    expect(faults('search=%00')).toEqual(['search must not contain a NUL character']);
    expect(faults(`search=${'a'.repeat(257)}&version=${'1'.repeat(257)}`)).toEqual([
      'search must have at most 256 characters',
      'version must have at most 256 characters',
    ]);
    const long = encodeCursor({ after: { name: 'a/b', version: '1' }, filter: { search: 'a'.repeat(257) } });
    expect(faults(`cursor=${long}`)).toEqual(['cursor was not issued by this server: start again without it']);
    expect(faults('anything=%ff')).toEqual(['anything is not valid percent-encoded UTF-8']);
    expect(faults('search=%ff&limit=0')).toEqual(['search is not valid percent-encoded UTF-8']);
  });
});
