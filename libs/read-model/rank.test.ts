import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CatalogueView } from './catalogue-view.js';
import type { Findings } from './findings.js';
import { findServer, layoutOf, toChange, withChanges } from './layout.js';
import { Pacer } from './pacer.js';
import { RANK_LIMITS } from './rank.js';
import { SegmentBuilder } from './segment-builder.js';
import type { Room } from './segment-builder.js';
import type { StoredEntry } from './stored-entry.js';
import { TopCounts } from './top-counts.js';

interface Server {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly version?: string;
  readonly isDeleted?: boolean;
}

function toEntry({ name, title, description = '', tags = [], version = '1.0.0', isDeleted }: Server): StoredEntry {
  const lifecycle = { status: 'active', statusMessage: null, publishedAtMs: 0, updatedAtMs: 0, statusChangedAtMs: 0 };
  const document = Buffer.from(JSON.stringify({ name, version }));
  const text = { name, version, document, hasForeignMeta: false, title: title ?? null, description, tags };
  return { ...text, facets: [], isMarkedLatest: false, position: 0, ...lifecycle, deletedAtMs: isDeleted ? 1 : null };
}

async function segment(servers: readonly Server[], isIndexed: boolean, room?: Room) {
  const builder = new SegmentBuilder(1, room);
  const byPlace = (a: Server, b: Server) => (a.name < b.name ? -1 : Number(a.name > b.name));
  for (const server of servers.toSorted(byPlace)) builder.add(toEntry(server));
  const built = await builder.finish(new Pacer());
  if (isIndexed) await built.index(new Pacer());
  return built;
}

const view = async (servers: readonly Server[], isIndexed = true) =>
  new CatalogueView(layoutOf(await segment(servers, isIndexed)), { tag: 'x', changedAtMs: 0 });

const list = (findings: Findings) =>
  Array.from({ length: findings.size }, (_, at) => [findings.at(at).name, findings.at(at).score]);
const count = async (findings: Findings, field: string, pacer = new Pacer()) => {
  const counts = new TopCounts(100);
  await findings.count(field, counts, pacer);
  return counts.top;
};
const names = (findings: Findings) => list(findings).map(([name]) => name);

const SERVERS: readonly Server[] = [
  { name: 'com.example/database', description: 'Reads things' },
  { name: 'com.example/sql', title: 'Database access' },
  { name: 'com.example/tagged', tags: ['Database'] },
  { name: 'com.example/mentions', description: 'It needs a database, and a weather forecast' },
  { name: 'com.example/weather', description: 'Weather forecast' },
  { name: 'com.example/other', description: 'Something else' },
  { name: 'unaddressable/database', description: 'database' },
  { name: 'com.example/gone', title: 'database', isDeleted: true },
];

describe.each([true, false])('a ranking, with a word index: %s', (isIndexed) => {
  it('prefers names and titles to tags, and tags to mere mentions', async () => {
    const findings = (await view(SERVERS, isIndexed)).find({}, 'Find a DATABASES tool');
    expect(list(findings)).toEqual([
      ['com.example/database', 100],
      ['com.example/sql', 100],
      ['com.example/tagged', 80],
      ['com.example/mentions', 60],
    ]);
  });

  it('scores a whole name, or its last part, with 100', async () => {
    const catalogue = await view([...SERVERS, { name: 'com.example/mcp-server' }], isIndexed);
    expect(list(catalogue.find({}, 'mcp-server'))[0]).toEqual(['com.example/mcp-server', 100]);
    expect(list(catalogue.find({}, ' COM.example/Weather '))[0]).toEqual(['com.example/weather', 100]);
  });

  it('prefers a rare word to a frequent one', async () => {
    const many = Array.from({ length: 50 }, (_, at) => ({ name: `com.example/s${at}`, description: 'a common thing' }));
    const catalogue = await view([...many, { name: 'com.example/rare', description: 'a peculiar item' }], isIndexed);
    expect(names(catalogue.find({}, 'common peculiar'))).toEqual(['com.example/rare']);
  });

  it('finds nothing for words that no server has, and for punctuation', async () => {
    const catalogue = await view(SERVERS, isIndexed);
    for (const text of ['zzz', '!?', '\u0000', '\n']) expect(list(catalogue.find({}, text))).toEqual([]);
  });

  it('uses fill words if there are no others', async () => {
    const catalogue = await view([{ name: 'com.example/tools', description: 'the tools' }], isIndexed);
    expect(names(catalogue.find({}, 'the tools'))).toEqual(['com.example/tools']);
  });

  it('can be filtered without changing the scores', async () => {
    const catalogue = await view(SERVERS, isIndexed);
    const [all, some] = [catalogue.find({}, 'database'), catalogue.find({ names: ['com.example/tagged'] }, 'database')];
    expect(list(some)).toEqual(list(all).filter(([name]) => name === 'com.example/tagged'));
    expect(await count(some, 'publisher')).toEqual([{ value: 'example.com', count: 1 }]);
  });

  it('examines the texts of the best candidates only, and counts the rest as mentions', async () => {
    const many = Array.from({ length: RANK_LIMITS.candidates + 5 }, (_, at) => ({
      name: `com.example/a${String(at).padStart(4, '0')}-alpha`,
    }));
    const scores = list((await view(many, isIndexed)).find({}, 'alpha')).map(([, score]) => score);
    expect(scores).toEqual([...Array.from({ length: RANK_LIMITS.candidates }, () => 100), 60, 60, 60, 60, 60]);
  });
});

it('serves other requests in the meantime', async () => {
  const many = Array.from({ length: 1000 }, (_, at) => ({ name: `com.p${at % 3}/s${at}`, version: `1.0.${at % 7}` }));
  const findings = (await view(many)).find({});
  for (const field of ['publisher', 'version', 'metadata.source', 'tags']) {
    let rests = 0;
    // Each slice of work expires immediately.
    const pacer = new (class extends Pacer {
      override rest() {
        rests++;
        return super.rest();
      }
    })(0);
    let isServed = false;
    setImmediate(() => (isServed = true));
    const counts = await count(findings, field, pacer);
    expect([field, isServed]).toEqual([field, true]);
    if (field === 'tags') continue;
    expect(rests).toBeGreaterThanOrEqual(4);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(field === 'metadata.source' ? 0 : many.length);
  }
  expect(await count(findings, 'publisher')).toEqual([
    { value: 'p0.com', count: 334 },
    { value: 'p1.com', count: 333 },
    { value: 'p2.com', count: 333 },
  ]);
});

it('does not depend on earlier replacements, and its pages are complete', async () => {
  const word = fc.constantFrom('alpha', 'beta', 'gamma', 'betas', 'é', 'of');
  const text = fc.array(word, { maxLength: 4 }).map((words) => words.join(' '));
  const server = fc.record({
    name: fc.constantFrom(...'abcdefgh').map((letter) => `com.example/${letter}-beta`),
    title: text,
    description: text,
    tags: fc.array(word, { maxLength: 2 }),
    isDeleted: fc.boolean(),
  });
  const servers = fc.uniqueArray(server, { selector: ({ name }) => name });
  await fc.assert(
    fc.asyncProperty(servers, servers, text, fc.integer({ min: 1, max: 4 }), async (old, next, query, size) => {
      const expected = (await view(next)).find({}, query);
      const [before, after] = [await segment(old, true), await segment(next, true)];
      const changed = [...new Set([...old, ...next].map(({ name }) => name))].toSorted().map((name) => {
        const first = after.columns.firstRows.get(name);
        return toChange(name, first === undefined ? undefined : { segment: after, first, count: 1 });
      });
      const layout = withChanges(layoutOf(before), changed);
      const findings = new CatalogueView(layout, { tag: 'x', changedAtMs: 0 }).find({}, query);
      expect(list(findings)).toEqual(list(expected));
      const walked: unknown[] = [];
      for (
        let from = 0;
        from < findings.size;
        from = findings.firstAfter(findings.at(Math.min(from + size, findings.size) - 1))
      ) {
        walked.push(...list(findings).slice(from, from + size));
      }
      expect(walked).toEqual(list(findings));
    }),
  );
});

describe('a catalogue with very many tags', () => {
  const PER_SERVER = 100;
  const server = (at: number, tags: readonly string[]) => ({
    name: `com.example/s${String(at).padStart(6, '0')}`,
    tags,
  });
  /** Returns servers with distinct tags, each of which belongs to only one server. */
  const withTags = (tags: number, toTag: (at: number) => string) =>
    Array.from({ length: tags / PER_SERVER }, (_, at) =>
      server(
        at,
        Array.from({ length: PER_SERVER }, (_, each) => toTag(at * PER_SERVER + each)),
      ),
    );
  /** Returns a spelling of one word. The spellings differ only in case. */
  const spelling = (at: number) =>
    Array.from('configurationtools', (letter, bit) => (at & (1 << bit) ? letter.toUpperCase() : letter)).join('');

  it('finds all spellings of a tag, however many there are', async () => {
    const servers = [...withTags(40_000, spelling), server(999_999, ['else'])];
    const found = (await view(servers)).find({}, 'ConfigurationTools');
    expect(found.size).toBe(400);
    expect(new Set(list(found).map(([, score]) => score))).toEqual(new Set([80]));
  });

  it('serves other requests while it counts them, across several segments', async () => {
    const first = layoutOf(
      await segment(
        withTags(20_000, (at) => `t${at}`),
        true,
      ),
    );
    const changed = await segment([server(0, ['t1', 'T1', 'other'])], true);
    const layout = withChanges(first, [
      toChange('com.example/s000000', findServer(layoutOf(changed), 'com.example/s000000')),
    ]);
    const findings = new CatalogueView(layout, { tag: 'x', changedAtMs: 0 }).find({});
    let rests = 0;
    const pacer = new (class extends Pacer {
      override rest() {
        rests++;
        return super.rest();
      }
    })(0);
    const counts = new TopCounts(3);
    await findings.count('tags', counts, pacer);
    expect(counts.top.map(({ value }) => value)).toEqual(['T1', 'other', 't1']);
    expect(counts.otherCount).toBe(19_900);
    expect(rests).toBeGreaterThan(15);
  });

  it('finds a server by a hundred of its tags, and not by one that is too long', async () => {
    const tags = ['x'.repeat(65), ...Array.from({ length: 101 }, (_, at) => `t${at}`)];
    const { columns } = await segment([server(0, tags)], false);
    expect([...columns.terms.terms('tag:')]).toEqual(tags.slice(1, -1).map((tag) => `tag:${tag}`));
  });

  it('counts the memory that it takes, and withholds what does not fit', async () => {
    const servers = withTags(50_000, (at) => `tag-${at}`);
    const room = { bytes: Infinity, indexBytes: 3_000_000 };
    const before = heldBytes();
    const built = await segment(servers, false);
    const held = heldBytes() - before;
    expect(built.length).toBe(500);
    expect(built.indexBytes).toBeGreaterThan(held / 1.5);
    const cut = await segment(servers, false, room);
    expect(cut.indexBytes).toBeLessThanOrEqual(room.indexBytes);
    expect(cut.length).toBeGreaterThan(0);
    expect(cut.length + cut.withheld).toBe(500);
    expect(cut.withheld).toBeGreaterThan(0);
  });
});

function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
