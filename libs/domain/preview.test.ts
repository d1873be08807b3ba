import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainName } from './explain.js';
import { MAX_PREVIEWED_CHANGES, Preview } from './preview.js';
import type { PreviewedEntry } from './preview.js';
import { compileFilter } from './source-filter.js';
import type { SourceFilter } from './source-filter.js';

const SOURCES = ['one', 'two', 'three'];
const TAGS = ['a', 'b'];

const pattern = fc.constantFrom('com.example/a*', '*/b?', 'key-c', '*', 'com.example/[ab]*');
const texts = (values: fc.Arbitrary<string>) => fc.array(values, { maxLength: 2 });
const filter: fc.Arbitrary<SourceFilter> = fc.record({
  names: fc.record({ include: texts(pattern), exclude: texts(pattern) }),
  tags: fc.record({ include: texts(fc.constantFrom(...TAGS)), exclude: texts(fc.constantFrom(...TAGS)) }),
});
const spec = fc.record({
  order: fc.shuffledSubarray(SOURCES),
  filters: fc.tuple(filter, filter, filter),
});
const entry = fc.record({
  source: fc.constantFrom(...SOURCES),
  name: fc.constantFrom('a', 'a1', 'b1', 'b2', 'c').map((leaf) => `com.example/${leaf}`),
  version: fc.constantFrom('1.0.0', '2.0.0'),
  tags: fc.uniqueArray(fc.constantFrom(...TAGS)),
});
const entries = fc.uniqueArray(entry, {
  selector: ({ source, name, version }) => `${source} ${name} ${version}`,
  maxLength: 20,
});

type Spec = { readonly order: readonly string[]; readonly filters: readonly SourceFilter[] };

const ruleOf = ({ filters }: Spec, source: string) => compileFilter(filters[SOURCES.indexOf(source)]);

function judged(given: readonly Omit<PreviewedEntry, 'key' | 'hiddenBy'>[], under: Spec): PreviewedEntry[] {
  const keyed = given.map((each) => ({ ...each, key: `key-${each.name.split('/')[1]}` }));
  return keyed.map((each) => ({ ...each, hiddenBy: ruleOf(under, each.source)(each) ?? null }));
}

/** Returns the entries that a spec serves according to `explain`: source by name and version. */
function servedUnder(given: readonly PreviewedEntry[], { order }: Spec): Map<string, string> {
  const rest = { hash: '', deletedAt: null, isMarkedLatest: false, publishedAtMs: 0, position: 0 };
  const served = new Map<string, string>();
  for (const [name, own] of Map.groupBy(given, (each) => each.name)) {
    const listed = own.filter(({ source }) => order.includes(source)).map((each) => ({ ...each, ...rest }));
    for (const { source, versions } of explainName(order, listed, []).sources) {
      for (const { version, verdict } of versions) if (verdict === 'served') served.set(`${name}@${version}`, source);
    }
  }
  return served;
}

it('lists exactly the differences between what two specs serve, and agrees with the explanation of each name', async () => {
  await fc.assert(
    fc.asyncProperty(entries, spec, spec, async (given, before, after) => {
      const old = judged(given, before);
      const preview = new Preview(
        before.order,
        after.order.map((name) => ({ name, hiddenBy: ruleOf(after, name) })),
      );
      const names = [...Map.groupBy(old, ({ name }) => name)].toSorted(([a], [b]) => (a < b ? -1 : 1));
      for (const [, own] of names) await preview.add(own, () => undefined);

      const [was, is] = [servedUnder(old, before), servedUnder(judged(given, after), after)];
      const expected = new Map(
        [...new Set([...was.keys(), ...is.keys()])].flatMap((key): [string, string][] => {
          if (!is.has(key)) return [[key, 'removed']];
          if (!was.has(key)) return [[key, 'added']];
          return was.get(key) === is.get(key) ? [] : [[key, 'changed']];
        }),
      );
      expect(new Map(preview.changes.map(({ name, version, change }) => [`${name}@${version}`, change]))).toEqual(
        expected,
      );
      const { added, removed, changed, unchanged } = preview.counts;
      expect([added + removed + changed, removed + changed + unchanged]).toEqual([expected.size, was.size]);
      for (const { change, by, source, name, version } of preview.changes) {
        if (change !== 'removed' || !after.order.includes(source)) continue;
        const hidden = judged(given, after).find(
          (each) => each.source === source && each.name === name && each.version === version,
        )?.hiddenBy;
        expect(by === hidden || by.startsWith('source ')).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

it('counts more changes than it lists', async () => {
  const preview = new Preview(['one'], []);
  for (let at = 0; at <= MAX_PREVIEWED_CHANGES; at++) {
    const entries = [{ source: 'one', name: `a/${at}`, version: '1', key: '', tags: [], hiddenBy: null }];
    await preview.add(entries, () => undefined);
  }
  expect([preview.changes.length, preview.counts.removed, preview.isTruncated]).toEqual([
    MAX_PREVIEWED_CHANGES,
    MAX_PREVIEWED_CHANGES + 1,
    true,
  ]);
});

describe('a name with many versions', () => {
  const versions = (tagsOf: (at: number) => readonly string[]): PreviewedEntry[] =>
    Array.from({ length: 1000 }, (_, at) => ({
      source: 'one',
      name: 'com.example/a',
      version: `1.0.${at}`,
      key: 'a',
      tags: tagsOf(at),
      hiddenBy: null,
    }));

  it('can be interrupted between any two of them when the work has to stop', async () => {
    let judged = 0;
    const preview = new Preview(['one'], [{ name: 'one', hiddenBy: () => `rule ${judged++}` }]);
    let rests = 0;
    const rest = () => {
      if (++rests === 10) throw new Error('the deadline is over');
      return undefined;
    };
    await expect(
      preview.add(
        versions((at) => [`${at}`]),
        rest,
      ),
    ).rejects.toThrow('the deadline is over');
    expect(judged).toBe(10);
  });

  it('is evaluated only once for equal versions, and by each of several sources', async () => {
    const judged: string[] = [];
    const hiddenBy = (name: string) => () => `rule ${judged.push(name)} of ${name}`;
    const sources = ['one', 'two'].map((name) => ({ name, hiddenBy: hiddenBy(name) }));
    const preview = new Preview(['one'], sources);
    const two = versions(() => ['b', 'a']).map((entry) => ({ ...entry, source: 'two' }));
    await preview.add([...versions((at) => (at % 2 ? ['a'] : [])), ...two], () => undefined);
    expect(judged).toEqual(['one', 'one', 'two']);
    expect(preview.counts.removed).toBe(1000);
    expect(preview.changes.every(({ by }) => by.endsWith('of one'))).toBe(true);
  });
});
