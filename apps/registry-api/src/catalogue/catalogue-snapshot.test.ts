import { describe, expect, it } from 'vitest';
import type { Answer } from './catalogue-reader.js';
import { CatalogueSnapshot } from './catalogue-snapshot.js';
import { decodeCursor } from './cursor.js';
import type { ListFilter } from './cursor.js';
import { mergeSources } from './merge-sources.js';
import type { StoredEntry } from './prepared-entry.js';
import { SourceBuilder } from './prepared-source.js';
import type { PreparedSource } from './prepared-source.js';

/** From oldest to newest, so that the newest of some is the one that stands last. */
const VERSIONS = ['0.9', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0', 'v1.9.0', '1.10.0', '2.0.0-rc.1'];
/** Their order differs between UTF-16 units and code points. */
const NAMES = ['a/b', 'a/B', 'a.b/c', 'a/～', 'a/😀', 'b/versions', 'b/é', 'servers/latest', 'z/z'];

interface Page {
  servers: {
    server: { name: string; version: string; source: number };
    _meta: { 'io.modelcontextprotocol.registry/official': { status: string; isLatest: boolean } };
  }[];
  metadata: { count: number; nextCursor?: string };
}

describe('a catalogue of one or several sources, against a naive reading of the same rows', () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))('agrees on every route (seed %i)', (seed) => {
    expect.hasAssertions();
    const random = generator(seed);
    const sources = Array.from({ length: 1 + random(3) }, (_, source) => randomSource(random, source));
    const rows = sources.flatMap((entries, source) => entries.map((entry) => ({ ...entry, source })));
    const prepared = sources.map((entries) => prepare(entries, 1 + random(4)));

    sources.forEach((_, source) => {
      const own = rows.filter((row) => row.source === source);
      expectAgreement(new CatalogueSnapshot(prepared[source] as PreparedSource), own, random);
    });
    expectAgreement(new CatalogueSnapshot(mergeSources(prepared)), rows.filter(isOwned), random);

    function isOwned(row: Row): boolean {
      const rivals = rows.filter(({ name }) => name === row.name);
      const winner = rivals.find(({ deletedAtMs }) => deletedAtMs === null) ?? rivals[0];
      return winner?.source === row.source;
    }
  });
});

type Row = StoredEntry & { source: number };

/** `rows` is all that the snapshot may know of. */
function expectAgreement(snapshot: CatalogueSnapshot, rows: readonly Row[], random: (below: number) => number): void {
  const sorted = rows.toSorted((a, b) => byBytes(a.name, b.name) || byBytes(a.version, b.version));
  const isLatest = (row: Row) => latestOf(rows, row.name) === row;

  for (let round = 0; round < 6; round++) {
    const filter = randomFilter(random);
    const expected = sorted.filter((row) => passes(row, filter, isLatest(row))).map(toText);
    for (const limit of [1, 2, 1 + random(20), 1000]) expect(walk(snapshot, filter, limit)).toEqual(expected);
  }
  for (const name of [...NAMES, 'no/body']) {
    for (const includeDeleted of [false, true]) {
      const own = sorted.filter((row) => row.name === name && (includeDeleted || row.deletedAtMs === null));
      expectVersions(snapshot.versions(name, includeDeleted), own);
      for (const version of VERSIONS) {
        const row = own.find((one) => one.version === version);
        expect(one(snapshot.version(name, version, includeDeleted))).toBe(row && toText(row));
      }
      const latest = own.find(isLatest);
      expect(one(snapshot.version(name, 'latest', includeDeleted))).toBe(latest && toText(latest));
    }
  }
}

function expectVersions(answer: Answer | undefined, rows: readonly Row[]): void {
  const newestFirst = rows.toSorted(
    (a, b) => b.publishedAtMs - a.publishedAtMs || VERSIONS.indexOf(b.version) - VERSIONS.indexOf(a.version),
  );
  expect(answer && read(answer).servers.map(fromServer)).toEqual(rows.length > 0 ? newestFirst.map(toText) : undefined);
}

function walk(snapshot: CatalogueSnapshot, filter: ListFilter, limit: number): string[] {
  const seen: string[] = [];
  let page = read(snapshot.list({ filter, limit }));
  for (;;) {
    expect(page.metadata.count).toBe(page.servers.length);
    seen.push(...page.servers.map(fromServer));
    if (!page.metadata.nextCursor) return seen;
    expect(page.servers).toHaveLength(limit);
    // A walk that goes in circles ends here.
    expect(seen.length).toBeLessThan(1000);
    const cursor = decodeCursor(page.metadata.nextCursor);
    expect(cursor?.filter).toEqual(filter);
    page = read(snapshot.list({ ...cursor, filter, limit }));
  }
}

function read(answer: Answer): Page {
  return JSON.parse(Buffer.concat(answer.compose()).toString()) as Page;
}

function one(answer: Answer | undefined): string | undefined {
  return answer && fromServer(JSON.parse(Buffer.concat(answer.compose()).toString()) as Page['servers'][number]);
}

const fromServer = ({ server }: Page['servers'][number]) => `${server.source}:${server.name}@${server.version}`;
const toText = (row: Row) => `${row.source}:${row.name}@${row.version}`;
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

function latestOf(rows: readonly Row[], name: string): Row | undefined {
  const own = rows.filter((row) => row.name === name);
  const live = own.filter(({ deletedAtMs }) => deletedAtMs === null);
  return (live.length > 0 ? live : own).toSorted(
    (a, b) => VERSIONS.indexOf(b.version) - VERSIONS.indexOf(a.version),
  )[0];
}

function passes(row: Row, filter: ListFilter, isLatest: boolean): boolean {
  const { search = '', version, updatedSinceMs = -1 } = filter;
  const text = [row.name, row.title ?? '', row.description].map((part) => part.toLowerCase());
  return (
    (row.deletedAtMs === null || filter.includeDeleted === true) &&
    text.some((part) => part.includes(search.toLowerCase())) &&
    (version === undefined || (version === 'latest' ? isLatest : row.version === version)) &&
    Math.max(row.updatedAtMs, row.deletedAtMs ?? 0) > updatedSinceMs
  );
}

function randomFilter(random: (below: number) => number): ListFilter {
  const pick = <T>(values: readonly T[]) => values[random(values.length)];
  const search = pick([undefined, undefined, 'A', 'tool', '%', '_', 'É', '😀', 'nothing of this']);
  const version = pick([undefined, undefined, 'latest', '1.0.0', '7.7.7']);
  const updatedSinceMs = pick([undefined, undefined, 0, 500, 900]);
  return {
    ...(search !== undefined && { search }),
    ...(version !== undefined && { version }),
    ...(updatedSinceMs !== undefined && { updatedSinceMs }),
    ...(random(2) === 0 && { includeDeleted: true }),
  };
}

function randomSource(random: (below: number) => number, source: number): StoredEntry[] {
  const texts = ['A Tool', 'tools_and more', '100 %', 'É', 'plain 😀'];
  const rows = NAMES.flatMap((name) =>
    VERSIONS.filter(() => random(3) === 0).map((version) => ({
      name,
      version,
      serverJson: JSON.stringify({ name, version, source }),
      title: random(2) === 0 ? null : (texts[random(texts.length)] as string),
      description: texts[random(texts.length)] as string,
      status: random(4) === 0 ? 'deprecated' : 'active',
      publishedAtMs: random(3) * 100,
      updatedAtMs: random(1000),
      statusChangedAtMs: random(1000),
      deletedAtMs: random(3) === 0 ? random(1000) : null,
    })),
  );
  return rows.toSorted((a, b) => byBytes(a.name, b.name) || byBytes(a.version, b.version));
}

function prepare(rows: readonly StoredEntry[], batch: number): PreparedSource {
  const builder = new SourceBuilder();
  for (let at = 0; at < rows.length; at += batch) builder.add(rows.slice(at, at + batch));
  return builder.finish();
}

/** The same numbers for the same seed (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b9;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

describe('an answer', () => {
  const row: StoredEntry = {
    name: 'io.example/one',
    version: '1.0.0',
    serverJson: '{}',
    title: null,
    description: '',
    status: 'active',
    publishedAtMs: 0,
    updatedAtMs: 0,
    statusChangedAtMs: 0,
    deletedAtMs: null,
  };
  const list = (rows: readonly StoredEntry[]) =>
    new CatalogueSnapshot(prepare(rows, 9)).list({ filter: { search: '' }, limit: 1000 });

  it('has the same tag for the same content only', () => {
    expect(list([row]).etag).toBe(list([{ ...row }]).etag);
    expect(list([row]).etag).not.toBe(list([{ ...row, updatedAtMs: 1 }]).etag);
    expect(list([row]).etag).not.toBe(list([]).etag);
  });

  it('sends neighbours in one piece, and large catalogues in few', () => {
    const rows = Array.from({ length: 100 }, (_, index) => ({
      ...row,
      version: `1.${String(index).padStart(3, '0')}`,
      serverJson: JSON.stringify('x'.repeat(100_000)),
    }));
    const parts = list(rows).compose();
    expect(JSON.parse(Buffer.concat(parts).toString())).toMatchObject({ metadata: { count: 100 } });
    expect(parts.length).toBeLessThan(6);
  });
});
