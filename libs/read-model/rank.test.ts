import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CatalogueView } from './catalogue-view.js';
import type { Findings } from './findings.js';
import { layoutOf, toChange, withChanges } from './layout.js';
import { Pacer } from './pacer.js';
import { RANK_LIMITS } from './rank.js';
import { SegmentBuilder } from './segment-builder.js';
import type { StoredEntry } from './stored-entry.js';

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

async function segment(servers: readonly Server[], isIndexed: boolean) {
  const builder = new SegmentBuilder(1);
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
  it('has names and titles before tags, and tags before what merely mentions a word', async () => {
    const findings = (await view(SERVERS, isIndexed)).find({}, 'Find a DATABASES tool');
    expect(list(findings)).toEqual([
      ['com.example/database', 100],
      ['com.example/sql', 100],
      ['com.example/tagged', 80],
      ['com.example/mentions', 60],
    ]);
  });

  it('gives a whole name, or its last part, 100', async () => {
    const catalogue = await view([...SERVERS, { name: 'com.example/mcp-server' }], isIndexed);
    expect(list(catalogue.find({}, 'mcp-server'))[0]).toEqual(['com.example/mcp-server', 100]);
    expect(list(catalogue.find({}, ' COM.example/Weather '))[0]).toEqual(['com.example/weather', 100]);
  });

  it('lets a rare word beat a frequent one', async () => {
    const many = Array.from({ length: 50 }, (_, at) => ({ name: `com.example/s${at}`, description: 'a common thing' }));
    const catalogue = await view([...many, { name: 'com.example/rare', description: 'a peculiar item' }], isIndexed);
    expect(names(catalogue.find({}, 'common peculiar'))).toEqual(['com.example/rare']);
  });

  it('finds nothing for words that no server has, and for punctuation', async () => {
    const catalogue = await view(SERVERS, isIndexed);
    for (const text of ['zzz', '!?', '\u0000', '\n']) expect(list(catalogue.find({}, text))).toEqual([]);
  });

  it('keeps fill words where there are no others', async () => {
    const catalogue = await view([{ name: 'com.example/tools', description: 'the tools' }], isIndexed);
    expect(names(catalogue.find({}, 'the tools'))).toEqual(['com.example/tools']);
  });

  it('is narrowed by a filter without another score', async () => {
    const catalogue = await view(SERVERS, isIndexed);
    const [all, some] = [catalogue.find({}, 'database'), catalogue.find({ names: ['com.example/tagged'] }, 'database')];
    expect(list(some)).toEqual(list(all).filter(([name]) => name === 'com.example/tagged'));
    expect(await some.count('publisher', new Pacer())).toEqual([{ value: 'example.com', count: 1 }]);
  });

  it('looks at the texts of the best candidates only, and counts the rest as mentions', async () => {
    const many = Array.from({ length: RANK_LIMITS.candidates + 5 }, (_, at) => ({
      name: `com.example/a${String(at).padStart(4, '0')}-alpha`,
    }));
    const scores = list((await view(many, isIndexed)).find({}, 'alpha')).map(([, score]) => score);
    expect(scores).toEqual([...Array.from({ length: RANK_LIMITS.candidates }, () => 100), 60, 60, 60, 60, 60]);
  });
});

it('serves other requests while it counts', async () => {
  const many = Array.from({ length: 1000 }, (_, at) => ({ name: `com.p${at % 3}/s${at}`, version: `1.0.${at % 7}` }));
  const findings = (await view(many)).find({});
  for (const field of ['publisher', 'version', 'metadata.source', 'tags']) {
    let rests = 0;
    // Its slices of work are over at once.
    const pacer = new (class extends Pacer {
      override rest() {
        rests++;
        return super.rest();
      }
    })(0);
    let isServed = false;
    setImmediate(() => (isServed = true));
    const counts = (await findings.count(field, pacer)) ?? [];
    expect([field, isServed]).toEqual([field, true]);
    if (field === 'tags') continue;
    expect(rests).toBeGreaterThanOrEqual(4);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(field === 'metadata.source' ? 0 : many.length);
  }
  expect(await findings.count('publisher', new Pacer())).toEqual([
    { value: 'p0.com', count: 334 },
    { value: 'p1.com', count: 333 },
    { value: 'p2.com', count: 333 },
  ]);
});

it('is the same whatever was replaced before, and pages of it add up to the whole', async () => {
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
