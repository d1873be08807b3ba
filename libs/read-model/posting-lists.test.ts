import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.js';
import { PostingListsBuilder } from './posting-lists.js';

describe('terms', () => {
  it('of two kinds are distinct even if both are created from the same list', async () => {
    const builder = new PostingListsBuilder();
    const tag = (word: string) => `tag:${word}`;
    const facet = (word: string) => `facet:${word}`;
    const words = ['remote'];
    builder.add(0, words, tag);
    builder.add(0, words, facet);
    builder.add(1, words, tag);
    const terms = await builder.finish(new Pacer());
    expect([...terms.rowsOf('tag:remote')]).toEqual([0, 1]);
    expect([...terms.rowsOf('facet:remote')]).toEqual([0]);
  });

  it('are estimated by their characters if they are new, and cost little otherwise', () => {
    const builder = new PostingListsBuilder(3);
    const tag = (word: string) => `tag:${word}`;
    const words = ['a', 'bb'];
    const first = builder.costOf(words, tag);
    builder.add(0, words, tag);
    expect(first).toBeGreaterThan(128);
    expect(builder.costOf(words, tag)).toBe(24);
    expect(builder.costOf(['bb'], tag)).toBe(12);
    expect(builder.costOf(['\u4e2d\u6587'], tag)).toBe(builder.costOf(['12345678'], tag));
    expect(builder.costOf(['c'], tag)).toBeLessThan(100);
    expect(builder.costOf(['c', 'd'], tag)).toBe(Infinity);
  });

  it('that two words of one list have in common are one', async () => {
    const builder = new PostingListsBuilder();
    builder.add(0, ['a', 'A'], (word) => `tag:${word.toUpperCase()}`);
    expect([...(await builder.finish(new Pacer())).rowsOf('tag:A')]).toEqual([0]);
  });
});
