import fc from 'fast-check';
import { expect, it } from 'vitest';
import { publisherNotes } from './server-document.js';

const server = (block: unknown) => ({
  name: 'com.example/x',
  version: '1',
  description: 'x',
  _meta: { 'io.modelcontextprotocol.registry/publisher-provided': block },
});

it('reads tags, tools and tier from wherever a publisher puts them', () => {
  const notes = { tags: ['a', 'b'], tools: ['one', { name: 'two', description: 'x' }, 3], tier: 'Official' };
  const wanted = { tags: ['a', 'b'], tools: ['one', 'two'], tier: 'Official' };
  expect(publisherNotes(server({ 'io.github.stacklok': { 'ghcr.io/x:1': notes } }))).toEqual(wanted);
  expect(publisherNotes(server({ 'io.github.stacklok': notes }))).toEqual(wanted);
});

it('accepts any content in the block of a publisher', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (block) => {
      const { tags, tools } = publisherNotes(server(block));
      for (const text of [...tags, ...tools]) expect(typeof text).toBe('string');
    }),
  );
});
