import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { CatalogueReader, ListQuery } from '#read-model/catalogue-reader.js';
import type { Answer } from '#read-model/answer.js';
import { API_LIMITS } from '../limits.js';
import { AnswerMemory } from './answer-memory.js';
import { CatalogueState } from './catalogue-state.js';
import { Findings } from '#read-model/findings.js';
import { EMPTY_LAYOUT } from '#read-model/layout.js';
import { ListQuerySchema } from './list-query.js';
import { KeptMemory } from './kept-memory.js';
import { parseQueryString } from './query-string.js';

const TEXT = Buffer.from('a page of text, '.repeat(10_000));

function answerOf(body: () => Buffer[]): Answer {
  return { compose: () => ({ partCount: 1, fetchedBytes: 0, body }) };
}

/** A reader that returns the same text for every list and records the queries. */
function reader(): CatalogueReader & { asked: ListQuery[] } {
  const asked: ListQuery[] = [];
  return {
    tag: 'tag',
    changedAtMs: undefined,
    asked,
    list: (query) => {
      asked.push(query);
      return answerOf(() => [TEXT]);
    },
    count: () => 0,
    find: () => new Findings({ layout: EMPTY_LAYOUT, sources: new Map(), bodies: undefined }, new Uint32Array(0)),
    names: () => [],
    facets: () => answerOf(() => [TEXT]),
    versions: () => undefined,
    version: () => undefined,
  };
}

const parse = (url: string) => ListQuerySchema.parse(parseQueryString(url.split('?')[1] ?? ''));

/** Calls `keptAnswer` like the handler of the list. */
const keptList = (state: CatalogueState, url: string) =>
  state.keptAnswer(url, { kind: 'list', parse: () => parse(url), find: (from, query) => from.list(query) });

describe('the cache of list answers', () => {
  const spellings = [
    '/v0.1/servers?limit=5&search=x&tag=b,a',
    '/v0.1/servers?tag=a,b,a&search=x&limit=005',
    '/v0.1/servers?limit=5&search=%78&tag=a,b&z=1',
    '/v0.1/servers?z=2&limit=5&search=x&tag=a,b&include_deleted=false&version=',
  ];

  it('has one answer for all spellings of a query, including unknown parameters', () => {
    const source = reader();
    const state = new CatalogueState(source, new AnswerMemory());
    const answers = spellings.map((url) => keptList(state, url));
    expect(new Set(answers).size).toBe(1);
    expect(source.asked.length).toBe(1);
    const other = '/v0.1/servers?limit=6&search=x&tag=a,b';
    expect(keptList(state, other)).not.toBe(answers[0]);
  });

  it('drops the oldest answers above its limit', () => {
    const source = reader();
    const state = new CatalogueState(source, new AnswerMemory());
    const ask = (search: number) => {
      const url = `/v0.1/servers?search=${search}`;
      return keptList(state, url);
    };
    const first = ask(0);
    for (let search = 1; search < API_LIMITS.keptAnswers; search++) ask(search);
    expect(ask(0)).toBe(first);
    ask(API_LIMITS.keptAnswers);
    expect(ask(0)).not.toBe(first);
  });

  it('clears every cache when all of them together exceed the memory limit', () => {
    const cleared: string[] = [];
    const memory = new KeptMemory(1000);
    const caches = ['a', 'b'].map((name) => ({ clear: () => void cleared.push(name) }));
    for (const cache of caches) memory.register(cache);
    memory.add(800);
    expect(cleared).toEqual([]);
    memory.add(200);
    expect(cleared).toEqual(['a', 'b']);
    memory.add(900);
    expect(cleared).toEqual(['a', 'b']);
  });

  it('counts the references to caches, which outlive them', () => {
    let cleared = 0;
    const memory = new KeptMemory(10_000);
    const cache = { clear: () => void cleared++ };
    for (let count = 0; count < 1_000; count++) memory.register(cache);
    expect(cleared).toBeGreaterThan(0);
  });
});

describe('compression', () => {
  it('is done once for concurrent requests of one answer', async () => {
    const state = new CatalogueState(reader(), new AnswerMemory());
    const ask = (encoding: 'br' | 'gzip') => keptList(state, '/').body(encoding);
    const [one, two, three] = await Promise.all([ask('br'), ask('br'), ask('gzip')]);
    expect(one.parts).toBe(two.parts);
    expect(brotliDecompressSync(Buffer.concat(one.parts)).equals(TEXT)).toBe(true);
    expect(gunzipSync(Buffer.concat(three.parts)).equals(TEXT)).toBe(true);
  });

  it('takes a slot, and without a free slot the answer is sent uncompressed', async () => {
    const memory = new AnswerMemory();
    const state = new CatalogueState(reader(), memory);
    const bodies = Array.from({ length: API_LIMITS.concurrentCompressions + 1 }, (_, search) => {
      const url = `/?search=${search}`;
      return keptList(state, url).body('br');
    });
    const sent = await Promise.all(bodies);
    expect(sent.map(({ encoding }) => encoding)).toEqual([
      ...Array.from({ length: API_LIMITS.concurrentCompressions }, () => 'br'),
      'identity',
    ]);
    const again = await keptList(state, `/?search=${bodies.length - 1}`).body('br');
    expect(again.encoding).toBe('br');
  });

  it('returns its slot and its memory if composing fails', async () => {
    const memory = new AnswerMemory(100 * 1024);
    const state = new CatalogueState(reader(), memory);
    const failing: Answer = {
      compose: () => ({ partCount: 1, fetchedBytes: 30_000, body: () => Promise.reject(new Error('away')) }),
    };
    for (let time = 0; time < 10; time++) {
      await expect(state.answer(() => failing).body('br')).rejects.toThrow('away');
    }
    expect(memory.memory.usedBytes).toBe(0);
  });
});
