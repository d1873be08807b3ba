import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.js';
import { PostingListsBuilder } from './posting-lists.js';

describe('terms', () => {
  it('of two kinds stay apart when both are made of the same list', async () => {
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
});
