import fc from 'fast-check';
import { expect, it } from 'vitest';
import { InvertedIndex } from './inverted-index.js';
import { Pacer } from './pacer.js';

const word = fc.constantFrom('GIT', 'GITHUB', 'HUB', 'A', 'É', '12', '-', ' ', '\n', '_', '日本', '%');
const text = fc.array(word, { maxLength: 8 }).map((words) => words.join(''));

it('finds the texts that contain a needle, like a scan of all texts, built or not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 20 }), text, async (texts, needle) => {
      const expected = texts.flatMap((each, number) => (each.includes(needle) ? [number] : []));
      const index = new InvertedIndex(texts);
      expect(Array.from(index.find(needle).toArray())).toEqual(expected);
      await index.build(new Pacer());
      expect(Array.from(index.find(needle).toArray())).toEqual(expected);
    }),
  );
});

it('falls back to a scan if it would have too many words', async () => {
  const texts = Array.from({ length: 60 }, (_, text) =>
    Array.from({ length: 10_000 }, (_, at) => (text * 10_000 + at).toString(36)).join(' '),
  );
  const index = new InvertedIndex(texts);
  await index.build(new Pacer());
  expect(Array.from(index.find((599_999).toString(36)).toArray())).toEqual([59]);
});
