import fc from 'fast-check';
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import { searchable } from '#domain/server-facets.js';
import type { Answer } from './answer.js';
import { CatalogueView } from './catalogue-view.js';
import { decodeCursor } from './cursor.js';
import type { ListFilter } from './cursor.js';
import { EMPTY_LAYOUT, findServer, layoutOf, toChange, wastedShare, withChanges } from './layout.js';
import type { Layout } from './layout.js';
import { mergeLayouts, remergeNames } from './merge-layouts.js';
import { Pacer } from './pacer.js';
import { SegmentBuilder } from './segment-builder.js';
import { StoredBodies } from './stored-bodies.js';
import type { BodyRequest } from './stored-bodies.js';
import type { StoredEntry } from './stored-entry.js';

/** From oldest to newest, so that the newest of several versions is the last one in this list. */
const VERSIONS = ['0.9', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0', 'v1.9.0', '1.10.0', '2.0.0-rc.1'];
/** Names that sort differently by UTF-16 code unit and by code point. */
const NAMES = ['a/b', 'a/B', 'a.b/c', 'a/～', 'a/😀', 'b/versions', 'b/é', 'servers/latest', 'z/z'];
const TEXTS = ['A Tool', 'tools_and more', '100 %', 'É', 'plain 😀', 'a\ttool', 'straße 12', 'git-hub hub'];
const TAGS = ['web', 'transport:sse', 'transport:stdio', ''];
const FACETS = ['remote', 'package', 'secret-free', 'transport:stdio', 'registry-type:npm', 'tool:get'];

interface Row extends StoredEntry {
  readonly source: number;
}

const time = fc.nat({ max: 1000 });
const entry = fc.record({
  name: fc.constantFrom(...NAMES),
  version: fc.constantFrom(...VERSIONS),
  title: fc.option(fc.constantFrom(...TEXTS)),
  description: fc.constantFrom(...TEXTS),
  tags: fc.uniqueArray(fc.constantFrom(...TAGS)),
  facets: fc.uniqueArray(fc.constantFrom(...FACETS)),
  status: fc.constantFrom('active', 'deprecated'),
  statusMessage: fc.option(fc.constantFrom('"moved"', 'é')),
  isMarkedLatest: fc.boolean(),
  hasForeignMeta: fc.boolean(),
  position: fc.nat({ max: 3 }),
  publishedAtMs: fc.constantFrom(0, 100, 200),
  updatedAtMs: time,
  statusChangedAtMs: time,
  deletedAtMs: fc.option(time),
  body: fc.constantFrom('x', 'é'.repeat(50)),
});
const content = fc.uniqueArray(entry, { selector: ({ name, version }) => `${name}\n${version}`, maxLength: 40 });

const FILTER_FIELDS: { [Field in keyof ListFilter]-?: fc.Arbitrary<NonNullable<ListFilter[Field]>> } = {
  search: fc.oneof(
    fc.constantFrom(
      'A',
      'tool',
      '%',
      '_',
      'É',
      '😀',
      'SS',
      'nothing of this',
      'hub',
      '-hub',
      'a tool',
      '\t',
      '\ntool',
      '2',
    ),
    fc
      .constantFrom(...NAMES, ...TEXTS)
      .chain((text) =>
        fc
          .tuple(fc.nat({ max: text.length }), fc.nat({ max: text.length }))
          .map(([a, b]) => text.slice(Math.min(a, b), Math.max(a, b))),
      ),
  ),
  version: fc.constantFrom('latest', '1.0.0', '7.7.7'),
  updatedSinceMs: fc.constantFrom(0, 500, 900),
  includeDeleted: fc.boolean(),
  tags: fc.uniqueArray(fc.constantFrom(...TAGS, 'no such'), { maxLength: 2 }),
  tagsAny: fc.uniqueArray(fc.constantFrom(...TAGS, 'no such'), { minLength: 1, maxLength: 3 }),
  transports: fc.uniqueArray(fc.constantFrom('stdio', 'sse'), { minLength: 1 }),
  registryTypes: fc.uniqueArray(fc.constantFrom('npm', 'oci'), { minLength: 1 }),
  sources: fc.uniqueArray(fc.constantFrom('s0', 's1', 's2', 'no such'), { minLength: 1, maxLength: 3 }),
  status: fc.constantFrom('active', 'deprecated'),
  remote: fc.constantFrom('true', 'false', 'only'),
  needsSecret: fc.boolean(),
  tools: fc.uniqueArray(fc.constantFrom('get', 'no such'), { minLength: 1 }),
  publishers: fc.uniqueArray(fc.constantFrom('b.a', 'a', 'no.such'), { minLength: 1 }),
  names: fc.uniqueArray(fc.constantFrom(...NAMES, 'no such'), { minLength: 1 }),
  versions: fc.uniqueArray(fc.constantFrom('1.0.0', '0.9', 'no such'), { minLength: 1 }),
  displayNames: fc.uniqueArray(fc.constantFrom('TOOL', 'c', 'ss', '😀', 'a/'), { minLength: 1 }),
  isAddressable: fc.constant(true as const),
};

/** A filter of at most three fields, because nearly no entry would pass more of them. */
const filter: fc.Arbitrary<ListFilter> = fc
  .subarray(Object.keys(FILTER_FIELDS) as (keyof ListFilter)[], { maxLength: 3 })
  .chain((fields) => fc.record(Object.fromEntries(fields.map((field) => [field, FILTER_FIELDS[field]]))))
  .map((fields) => fields as ListFilter);

describe('a catalogue, compared with a naive implementation', () => {
  it('agrees on every route, for any sources, changes, filters, pages and memory limits', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(content, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(fc.nat({ max: 2 }), content), { maxLength: 3 }),
        fc.array(filter, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(Infinity, 3000, 0),
        async (contents, edits, filters, limit, room) => {
          const catalogue = await TestCatalogue.create(contents.map(toRows), room);
          await catalogue.expectAgreement(filters, limit);
          for (const [source, rows] of edits) {
            if (source < contents.length) await catalogue.replace(source, toRows(rows, source));
          }
          await catalogue.expectAgreement(filters, limit);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('determines the latest version by semantic versioning', async () => {
    const number = fc.nat({ max: 12 });
    const word = fc.constantFrom('alpha', 'beta', 'rc', '1', '2', '11');
    const version = fc
      .tuple(number, number, number, fc.array(word, { maxLength: 3 }))
      .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join('.')}` : ''}`);
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(version, { minLength: 1, maxLength: 12 }), async (versions) => {
        const rows = versions.map((each) => ({
          ...ONE,
          version: each,
          document: Buffer.from(`{"version":"${each}"}`),
        }));
        const view = new CatalogueView(layoutOf(await build(rows.toSorted(byPlace))), NEW);
        const { server } = (await read(view.version(ONE.name, 'latest', false))) as { server: { version: string } };
        expect(server.version).toBe(semver.rsort([...versions])[0]);
      }),
    );
  });

  it('frees the memory of removed entries', async () => {
    const catalogue = await TestCatalogue.create([toRows(rowsOf(['a/b', 'z/z']), 0)], Infinity);
    await catalogue.replace(0, toRows(rowsOf(['a/b']), 0));
    expect(wastedShare(catalogue.layouts[0] as Layout)).toBeCloseTo(0.5, 1);
    await catalogue.replace(0, []);
    expect(catalogue.layouts).toEqual([EMPTY_LAYOUT]);
  });
});

const ONE: StoredEntry = {
  name: 'io.example/one',
  version: '1.0.0',
  document: Buffer.from('{}'),
  title: null,
  description: '',
  tags: [],
  facets: [],
  status: 'active',
  statusMessage: null,
  isMarkedLatest: false,
  hasForeignMeta: false,
  position: 0,
  publishedAtMs: 0,
  updatedAtMs: 0,
  statusChangedAtMs: 0,
  deletedAtMs: null,
};
const NEW = { tag: 'x', changedAtMs: undefined, sources: new Map([0, 1, 2].map((id) => [`s${id}`, id])) };

/** The start of `_meta` with a namespace other than the official one. */
const FOREIGN_META = ',"_meta":{"com.example/score":{"stars":5},';

type Content = (Omit<StoredEntry, 'document'> & { body: string })[];

function rowsOf(names: readonly string[]): Content {
  return names.map((name) => ({ ...ONE, name, body: 'x' }));
}

function toRows(entries: Content, source: number): Row[] {
  return entries
    .map(({ body, ...rest }) => ({
      ...rest,
      source,
      document: Buffer.from(
        JSON.stringify({ name: rest.name, version: rest.version, source, body }) +
          (rest.hasForeignMeta ? FOREIGN_META : ''),
      ),
    }))
    .toSorted(byPlace);
}

async function build(rows: readonly StoredEntry[], room?: number, source = 0) {
  const builder = new SegmentBuilder(source, room === undefined ? undefined : { bytes: room, indexBytes: Infinity });
  for (const row of rows) builder.add(row);
  const segment = await builder.finish(new Pacer());
  // Some segments get an index and others do not, so that both kinds of search are tested.
  if (rows.length % 2 === 0) await segment.index(new Pacer());
  return segment;
}

/** Sources in memory, changed in the same way as by the follower, next to their rows as a plain list. */
class TestCatalogue extends StoredBodies {
  private constructor(
    readonly rows: Row[][],
    readonly layouts: Layout[],
    private merged: Layout,
    private readonly room: number,
  ) {
    super();
  }

  static async create(rows: Row[][], room: number): Promise<TestCatalogue> {
    const layouts = await Promise.all(rows.map(async (own, source) => layoutOf(await build(own, room, source))));
    return new TestCatalogue([...rows], layouts, mergeLayouts(layouts), room);
  }

  async replace(source: number, rows: Row[]): Promise<void> {
    const ofName = (list: readonly Row[], name: string) => list.filter((row) => row.name === name);
    const before = this.rows[source] as Row[];
    const names = Array.from(new Set([...before, ...rows].map(({ name }) => name)))
      .filter((name) => JSON.stringify(ofName(before, name)) !== JSON.stringify(ofName(rows, name)))
      .toSorted(byBytes);
    const changed = layoutOf(
      await build(
        rows.filter(({ name }) => names.includes(name)),
        this.room,
        source,
      ),
    );
    this.rows[source] = rows;
    this.layouts[source] = withChanges(
      this.layouts[source] as Layout,
      names.map((name) => toChange(name, findServer(changed, name))),
    );
    this.merged = remergeNames(this.merged, this.layouts, names);
  }

  /** Returns what the database would return. */
  async fetch(requests: readonly BodyRequest[]): Promise<readonly Buffer[]> {
    return requests.map(({ sourceId, name, version }) => {
      const row = this.rows[sourceId]?.find((each) => each.name === name && each.version === version);
      return (row as Row).document;
    });
  }

  async expectAgreement(filters: readonly ListFilter[], limit: number): Promise<void> {
    for (const [source, layout] of this.layouts.entries()) {
      await expectAgreement(new CatalogueView(layout, NEW, this), this.rows[source] as Row[], filters, limit);
    }
    const all = this.rows.flat();
    const isOwned = (row: Row) => {
      const rivals = all.filter(({ name }) => name === row.name);
      return (rivals.find(({ deletedAtMs }) => deletedAtMs === null) ?? rivals[0])?.source === row.source;
    };
    const merged = all.filter(isOwned).toSorted(byPlace);
    await expectAgreement(new CatalogueView(this.merged, NEW, this), merged, filters, limit);
    const afresh = mergeLayouts(this.layouts);
    await expectAgreement(new CatalogueView(afresh, NEW, this), merged, filters, limit);
  }
}

/** Compares the view with a naive evaluation of `rows`, which are the sorted rows of the view. */
async function expectAgreement(
  view: CatalogueView,
  rows: readonly Row[],
  filters: readonly ListFilter[],
  limit: number,
): Promise<void> {
  const isLatest = (row: Row) => latestOf(rows, row.name) === row;
  for (const filter of filters) {
    const expected = rows
      .filter((row) => passes(row, filter, isLatest(row)))
      .map((row) => toAnswer(row, isLatest(row)));
    expect(await walk(view, filter, limit)).toEqual(expected);
    const facets = view.facets(filter);
    const [counting, again] = [facets.compose().body(), facets.compose().body()];
    expect(again).toBe(counting);
    await counting;
    expect(await read(facets)).toEqual(naiveFacets(rows, filter, isLatest));
  }
  for (const name of [...NAMES, 'no/body']) {
    for (const includeDeleted of [false, true]) {
      const own = rows.filter((row) => row.name === name && (includeDeleted || row.deletedAtMs === null));
      const newestFirst = own.toSorted(byAge);
      const versions = (await read(view.versions(name, includeDeleted))) as { servers: unknown[] } | undefined;
      expect(versions?.servers ?? []).toEqual(newestFirst.map((row) => toAnswer(row, isLatest(row))));
      for (const version of [...VERSIONS, 'latest']) {
        const row = own.find((each) => (version === 'latest' ? isLatest(each) : each.version === version));
        expect(await read(view.version(name, version, includeDeleted))).toEqual(row && toAnswer(row, isLatest(row)));
      }
    }
  }
}

interface Page {
  servers: unknown[];
  metadata: { count: number; nextCursor?: string };
}

async function walk(view: CatalogueView, filter: ListFilter, limit: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (let after = {}; ;) {
    const answer = view.list({ ...after, filter, limit });
    const page = (await read(answer)) as Page;
    expect(page.metadata.count).toBe(page.servers.length);
    seen.push(...page.servers);
    if (page.metadata.nextCursor === undefined) {
      expect(answer.compose().total).toBe(seen.length);
      return seen;
    }
    expect(page.servers).toHaveLength(limit);
    // Stops a walk that loops.
    expect(seen.length).toBeLessThan(1000);
    // Only filters that the parameters of a list can express are read back from a cursor.
    const cursor = decodeCursor(page.metadata.nextCursor);
    if (cursor) expect(cursor.filter).toEqual(filter);
    after = { after: answer.compose().next };
  }
}

async function read(answer: Answer | undefined): Promise<unknown> {
  return answer && JSON.parse(Buffer.concat([...(await answer.compose().body())]).toString());
}

function toAnswer(row: Row, isLatest: boolean): object {
  const at = (ms: number) => new Date(ms).toISOString();
  return {
    server: JSON.parse(row.document.toString().replace(FOREIGN_META, '')),
    _meta: {
      ...(row.hasForeignMeta && { 'com.example/score': { stars: 5 } }),
      'io.modelcontextprotocol.registry/official': {
        status: row.deletedAtMs === null ? row.status : 'deleted',
        ...(row.statusMessage !== null && { statusMessage: row.statusMessage }),
        statusChangedAt: at(row.statusChangedAtMs),
        publishedAt: at(row.publishedAtMs),
        updatedAt: at(Math.max(row.updatedAtMs, row.deletedAtMs ?? 0)),
        isLatest,
      },
    },
  };
}

function latestOf(rows: readonly Row[], name: string): Row | undefined {
  const own = rows.filter((row) => row.name === name);
  const live = own.filter(({ deletedAtMs }) => deletedAtMs === null);
  return (live.length > 0 ? live : own).toSorted(byAge)[0];
}

/** Compares by age, newest first: the version that its registry marks as the latest, then the others by precedence. */
function byAge(a: Row, b: Row): number {
  const isMarked = (row: Row) => Number(row.isMarkedLatest && row.deletedAtMs === null);
  return isMarked(b) - isMarked(a) || VERSIONS.indexOf(b.version) - VERSIONS.indexOf(a.version);
}

function passes(row: Row, wanted: ListFilter, isLatest: boolean): boolean {
  const { search = '', version, updatedSinceMs = -1, tags = [], tagsAny, remote, needsSecret } = wanted;
  const { transports, registryTypes, sources, status } = wanted;
  const fold = (text: string) => text.toLowerCase().toUpperCase();
  const has = (facet: string) => row.facets.includes(facet);
  const { tools, publishers, names, versions, displayNames, isAddressable } = wanted;
  const [namespace = '', leaf = ''] = row.name.split('/');
  return (
    (tools?.some((tool) => has(`tool:${tool}`)) ?? true) &&
    (publishers?.some((publisher) => publisher === 'b.a' && namespace === 'a.b') ?? true) &&
    (names?.includes(row.name) ?? true) &&
    (versions?.includes(row.version) ?? true) &&
    (displayNames?.some((text) => [leaf, row.title ?? ''].some((each) => fold(each).includes(fold(text)))) ?? true) &&
    (isAddressable !== true || row.name === 'a.b/c') &&
    (row.deletedAtMs === null || wanted.includeDeleted === true) &&
    [row.name, row.title ?? '', row.description].some((text) => fold(text).includes(fold(search))) &&
    (version === undefined || (version === 'latest' ? isLatest : row.version === version)) &&
    Math.max(row.updatedAtMs, row.deletedAtMs ?? 0) > updatedSinceMs &&
    tags.every((tag) => searchable(row.tags).includes(tag)) &&
    (tagsAny?.some((tag) => searchable(row.tags).includes(tag)) ?? true) &&
    (transports?.some((type) => has(`transport:${type}`)) ?? true) &&
    (registryTypes?.some((type) => has(`registry-type:${type}`)) ?? true) &&
    (sources?.includes(`s${row.source}`) ?? true) &&
    (status === undefined || (row.deletedAtMs === null && row.status === status)) &&
    (remote === undefined || has('remote') === (remote !== 'false')) &&
    (remote !== 'only' || !has('package')) &&
    (needsSecret === undefined || has('secret-free') === !needsSecret)
  );
}

/** For each facet, the values that a row has, and the filter fields that do not apply to this facet. */
const FACET_VALUES: Readonly<Record<string, readonly [(row: Row) => string[], (keyof ListFilter)[]]>> = {
  source: [({ source }) => [`s${source}`], ['sources']],
  status: [({ status, deletedAtMs }) => (deletedAtMs === null ? [status] : []), ['status']],
  transport: [({ facets }) => facets.flatMap((facet) => facet.match(/^transport:(.*)/)?.[1] ?? []), ['transports']],
  registry_type: [
    ({ facets }) => facets.flatMap((facet) => facet.match(/^registry-type:(.*)/)?.[1] ?? []),
    ['registryTypes'],
  ],
  tag: [({ tags }) => [...searchable(tags)], ['tags', 'tagsAny']],
  remote: [
    ({ facets }) => (facets.includes('remote') ? ['true', ...(facets.includes('package') ? [] : ['only'])] : ['false']),
    ['remote'],
  ],
  needs_secret: [({ facets }) => [String(!facets.includes('secret-free'))], ['needsSecret']],
};

function naiveFacets(rows: readonly Row[], filter: ListFilter, isLatest: (row: Row) => boolean): object {
  const passing = (wanted: ListFilter) => rows.filter((row) => passes(row, wanted, isLatest(row)));
  const facets = Object.entries(FACET_VALUES).map(([name, [valuesOf, fields]]) => {
    const others = Object.fromEntries(
      Object.entries(filter).filter(([field]) => !fields.includes(field as keyof ListFilter)),
    ) as ListFilter;
    const byValue = Map.groupBy(passing(others).flatMap(valuesOf), (value) => value);
    const counts = Array.from(byValue, ([value, { length: count }]) => ({ value, count }));
    return [name, counts.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))];
  });
  return { total: passing(filter).length, facets: Object.fromEntries(facets) };
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const byPlace = (a: StoredEntry, b: StoredEntry) => byBytes(a.name, b.name) || byBytes(a.version, b.version);
