import { describe, expect, it } from 'vitest';
import { readAgentsFilter } from './agents-filter.js';
import { FACET_FIELDS, toEntryFilter } from './filter-terms.js';
import { ExploreRequestSchema, SearchRequestSchema } from './search-request.js';

describe('the filter of a list', () => {
  it.each([
    ["type = 'application/mcp-server-card+json'", {}],
    ['type=application/mcp-server+json', {}],
    ['type = application/agent-card+json', undefined],
    ['publisherId = "Example.COM,acme.github.io"', { publishers: ['example.com', 'acme.github.io'] }],
    ["displayName = 'weather AND sun'", { displayNames: ['weather AND sun'] }],
    ["updatedAfter > '2026-01-01' AND displayName=a", { updatedSinceMs: Date.UTC(2026, 0, 1), displayNames: ['a'] }],
    ['updatedAfter = 2026-01-01T02:00:00+02:00', { updatedSinceMs: Date.UTC(2026, 0, 1) }],
  ])('%s', (expression, expected) => expect(readAgentsFilter(expression)).toEqual(expected));

  it.each([
    ['', 'cannot be read from character 1'],
    ["type = 'a' OR type = 'b'", 'join terms with AND'],
    ["type = 'a' AND", 'join terms with AND'],
    ["type = 'a' AND ", 'cannot be read from character 15'],
    ["type = 'a", 'cannot be read'],
    ['type > a', 'compares type with >'],
    ['createdAfter > 2026-01-01', 'the field createdAfter, which is unknown'],
    ['__proto__ = a', 'cannot be read'],
    ['constructor = a', 'the field constructor, which is unknown'],
    ['updatedAfter > yesterday', 'a date or a date-time'],
    ['updatedAfter > 2026-13-01', 'a date or a date-time'],
    ['displayName = a AND displayName = b', 'names displayName twice'],
    ["displayName = ''", 'has an empty value'],
    ['displayName = a,b,c,d,e,f,g,h,i,j,k', 'must have at most 10 values of displayName'],
    ['displayName = a AND '.repeat(60), 'must have at most 1024 characters'],
  ])('%j is refused: %s', (expression, message) => expect(() => readAgentsFilter(expression)).toThrow(message));

  it('takes no longer for hostile text', () => {
    expect(() => readAgentsFilter(' '.repeat(1024))).toThrow('cannot be read');
    expect(() => readAgentsFilter(`type = '${"a' ".repeat(300)}`)).toThrow('cannot be read');
  });
});

describe('the body of a search', () => {
  const read = (body: unknown) => {
    const { data, error } = SearchRequestSchema.safeParse(body);
    return error ? error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n') : data;
  };
  const query = (filter: unknown) => ({ query: { text: 'a', filter } });

  it('has defaults, ignores unknown members, and limits the page size', () => {
    expect(read({ query: { text: ' a ', '@context': 'x' }, pageSize: 1e6, more: [] })).toEqual({
      query: { text: ' a ', filter: [] },
      federation: 'auto',
      pageSize: 100,
    });
  });

  it.each([
    [[], 'must be a JSON object with a query'],
    [null, 'must be a JSON object with a query'],
    [{}, 'query must be an object with a text'],
    [{ query: { text: '  ' } }, 'query.text must not be blank'],
    [{ query: { text: 'a'.repeat(1025) } }, 'query.text must have at most 1024 characters'],
    [{ query: { text: 1 }, pageSize: 0, federation: 'x' }, /query\.text.*\n.*federation.*\n.*pageSize/],
    [query([]), 'query.filter must be an object'],
    [query({ type: [] }), 'query.filter.type must be a text or a list'],
    [query({ type: [{}] }), 'query.filter.type must be a text or a list'],
    [query({ type: Array.from({ length: 51 }, String) }), 'query.filter.type must be a text or a list'],
    [query({ type: 'a'.repeat(257) }), 'query.filter.type must be a text or a list'],
    [query({ 'okf:x': 'a' }), 'query.filter.okf:x is not a term that entries can be filtered by: use type, tags'],
    [query(JSON.parse('{"__proto__":"a"}')), 'query.filter.__proto__ is not a term'],
    [query(Object.fromEntries(FACET_FIELDS.concat('identifier').map((term) => [term, 'a']))), 'at most 10 terms'],
  ])('%j is refused: %s', (body, message) => expect(read(body)).toMatch(message));

  it.each([
    [{ 'trustManifest.identity': ['x'] }, undefined],
    [{ type: ['application/mcp-server', 'x'] }, {}],
    [{ type: 'application/agent-card+json' }, undefined],
    [{ 'metadata.status': ['active', 'deprecated'] }, {}],
    [{ 'metadata.status': 'gone' }, undefined],
    [
      { 'metadata.remote': 'true', tags: 'a' },
      { remote: 'true', tagsAny: ['a'] },
    ],
    [{ 'metadata.transports': 'sse,stdio' }, { transports: ['sse', 'stdio'] }],
    [{ identifier: ['urn:ai:example.com:server:a', 'x'] }, { names: ['com.example/a'] }],
    [{ identifier: 'x' }, undefined],
  ])('the filter %j restricts to %j', (filter, expected) => {
    const { query: parsed } = SearchRequestSchema.parse(query(filter));
    expect(toEntryFilter(parsed.filter)).toEqual(expected);
  });
});

it.each([
  [{}, 'resultType must be an object with facets'],
  [{ resultType: { facets: [] } }, 'resultType.facets must name a facet'],
  [
    { resultType: { facets: [{ field: 'identifier' }] } },
    'resultType.facets.0.field is not a field that can be counted',
  ],
  [{ resultType: { facets: [{ field: 'type', limit: 101 }] } }, 'resultType.facets.0.limit must be at most 100'],
  [
    { resultType: { facets: [{ field: 'publisher' }, { field: 'type' }, { field: 'publisher', limit: 1 }] } },
    'resultType.facets must name each field only once',
  ],
  [{ resultType: { facets: Array.from({ length: 11 }, () => ({ field: 'type' })) } }, 'must have at most 10 facets'],
])('the exploration %j is refused: %s', (body, message) => {
  const { error } = ExploreRequestSchema.safeParse(body);
  expect(error?.issues.map(({ path, message: text }) => `${path.join('.')} ${text}`).join('\n')).toContain(message);
});
