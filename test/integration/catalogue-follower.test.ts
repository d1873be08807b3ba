import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CatalogueFollower } from '#registry-api/catalogue/catalogue-follower.js';
import type { CatalogueReader } from '#read-model/catalogue-reader.js';
import { LiveCatalogue } from '#registry-api/catalogue/live-catalogue.js';
import type { SourceSnapshot } from '#registry-api/catalogue/live-catalogue.js';
import type { Segment } from '#read-model/segment.js';
import { DatabaseBodies } from '#registry-api/catalogue/database-bodies.js';
import { CatalogueRows } from '#support/catalogue-rows.js';
import type { EntryRow } from '#support/catalogue-rows.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { eventually } from '#support/eventually.js';

const PLENTY = 1e9;

let database: TestDatabase;
let rows: CatalogueRows;
let reading: Client;
let registry: string;
const ends: (() => Promise<void>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  rows = await CatalogueRows.connect(database.app);
  reading = new Client(database.app);
  await reading.connect();
});

beforeEach(async () => {
  registry = `r-${randomUUID()}`;
  await rows.addRegistry('test', registry);
  await rows.addSource('test', registry, 'a', 0);
});

afterAll(async () => {
  for (const end of ends) await end();
  await rows?.end();
  await reading?.end();
  await database?.drop();
});

/** Follows the database until all tests are done. */
async function follow(budget = PLENTY): Promise<LiveCatalogue> {
  const catalogue = new LiveCatalogue(new DatabaseBodies(reading));
  const follower = new CatalogueFollower(database.app, catalogue, { budget }, pino({ level: 'silent' }));
  ends.push(() => follower.stop());
  const loaded = catalogue.nextChange();
  follower.start();
  await loaded;
  return catalogue;
}

function sourceOf(catalogue: LiveCatalogue, name = 'a'): SourceSnapshot {
  const source = catalogue.snapshots?.get(`test/${registry}`)?.sources.find((each) => each.name === name);
  if (!source) throw new Error(`there is no source ${name}`);
  return source;
}

async function textsOf(reader: CatalogueReader): Promise<string[]> {
  const body = reader
    .list({ filter: { includeDeleted: true }, limit: 1000 })
    .compose()
    .body();
  const { servers } = JSON.parse(Buffer.concat([...(await body)]).toString()) as {
    servers: { server: { name: string; version: string; description: string } }[];
  };
  return servers.map(({ server }) => `${server.name}@${server.version} ${server.description}`);
}

/** Waits until the registry serves the wanted entries. */
async function expectServed(catalogue: LiveCatalogue, wanted: readonly string[], source?: string): Promise<void> {
  await expect
    .poll(() => textsOf(catalogue.reader({ namespace: 'test', registry, ...(source && { source }) })), {
      interval: 10,
    })
    .toEqual(wanted);
}

const server = (name: string, description = 'x', version = '1.0.0'): EntryRow => ({ name, version, description });
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => server(`a/${String(index).padStart(4, '0')}`));
const toTexts = (entries: readonly EntryRow[]) =>
  entries.map(({ name, version, description }) => `${name}@${version} ${description}`);

/** Changes rows as a writer would, and sends the notification. */
async function write(sql: string, source = 'a'): Promise<void> {
  const sourceId = `(SELECT id FROM source WHERE registry = '${registry}' AND name = '${source}')`;
  await rows.query('BEGIN');
  await rows.query(sql.replaceAll('$source', sourceId));
  await rows.query(`UPDATE source SET generation = generation + 1 WHERE id = ${sourceId}`);
  await rows.notify('test', registry);
  await rows.query('COMMIT');
}

describe('a catalogue that follows its database', () => {
  it('reads whole what was set back, as by a restore or a lossy failover, and gives it another tag', async () => {
    await rows.publish('test', registry, 'a', [server('a/1', 'first')]);
    const catalogue = await follow();
    const tag = () => catalogue.reader({ namespace: 'test', registry }).tag;
    const admin = new Client({ ...database.app, user: 'postgres' });
    await admin.connect();
    try {
      await expectServed(catalogue, ['a/1@1.0.0 first']);
      const first = tag();
      await admin.query('CREATE TABLE saved_source AS TABLE source; CREATE TABLE saved_entry AS TABLE entry');
      const change = (text: string) =>
        `UPDATE entry SET server_json = replace(server_json, 'first', '${text}') WHERE source_id = $source`;
      await write(change('lost'));
      await expectServed(catalogue, ['a/1@1.0.0 lost']);
      const lost = tag();
      await admin.query(`SET session_replication_role = replica; BEGIN; DELETE FROM entry; INSERT INTO entry TABLE saved_entry;
        UPDATE source SET (generation, edition, editions, edition_writers)
                        = (SELECT generation, edition, editions, edition_writers FROM saved_source AS s WHERE s.id = source.id);
        COMMIT; SET session_replication_role = origin`);
      await rows.notify('test', registry);
      await expectServed(catalogue, ['a/1@1.0.0 first']);
      expect(tag()).toBe(first);
      await write(change('again'));
      await expectServed(catalogue, ['a/1@1.0.0 again']);
      expect([first, lost]).not.toContain(tag());
      // A transaction id that had already been used before the database was restored.
      await admin.query(`SET session_replication_role = replica; BEGIN;
        UPDATE entry SET server_json = replace(server_json, 'again', 'reused'), written_by = 3;
        UPDATE source SET generation = generation + 1, edition = '00000000-0000-4000-8000-000000000000',
          editions = editions || '00000000-0000-4000-8000-000000000000'::uuid, edition_writers = edition_writers || 3::bigint
         WHERE registry = '${registry}';
        COMMIT; SET session_replication_role = origin`);
      await rows.notify('test', registry);
      await expectServed(catalogue, ['a/1@1.0.0 reused']);
    } finally {
      await admin.end();
    }
  });

  it('takes what changed, and keeps the memory of all the rest', async () => {
    const entries = many(300);
    await rows.publish('test', registry, 'a', entries);
    const catalogue = await follow();
    const [before] = sourceOf(catalogue).layout.segments;
    const tag = sourceOf(catalogue).reader.tag;

    await write(
      `UPDATE entry SET server_json = replace(server_json, '"x"', '"new"') WHERE source_id = $source AND name = 'a/0007'`,
    );
    await expectServed(
      catalogue,
      toTexts(entries.map((each) => (each.name === 'a/0007' ? { ...each, description: 'new' } : each))),
    );
    const { segments } = sourceOf(catalogue).layout;
    expect(segments[0]).toBe(before);
    expect(segments.map(({ length }) => length)).toEqual([300, 1]);
    expect(sourceOf(catalogue).reader.tag).not.toBe(tag);
  });

  it('sees new, hidden, shown and removed entries, and a latest version that is another one', async () => {
    await rows.publish('test', registry, 'a', [server('a/1'), server('a/2'), server('a/3')]);
    const catalogue = await follow();
    const latest = async () => {
      const answer = sourceOf(catalogue).reader.version('a/2', 'latest', false);
      return answer && Buffer.concat([...(await answer.compose().body())]).toString();
    };
    expect(await latest()).toMatch(/"version":"1.0.0".*"isLatest": true/);

    await write(`INSERT INTO entry (source_id, name, version, key, hash, server_json, description)
                 VALUES ($source, 'a/2', '2.0.0', 'a/2', '', '{"name":"a/2","version":"2.0.0","description":"y"}', 'y')`);
    await expectServed(catalogue, ['a/1@1.0.0 x', 'a/2@1.0.0 x', 'a/2@2.0.0 y', 'a/3@1.0.0 x']);
    expect(await latest()).toMatch(/"version":"2.0.0".*"isLatest": true/);
    expect(
      sourceOf(catalogue)
        .reader.list({ filter: { version: 'latest' }, limit: 9 })
        .compose().total,
    ).toBe(3);

    await write(`UPDATE entry SET hidden_by = 'a rule' WHERE source_id = $source AND name = 'a/1'`);
    await expectServed(catalogue, ['a/2@1.0.0 x', 'a/2@2.0.0 y', 'a/3@1.0.0 x']);
    await write(`UPDATE entry SET hidden_by = NULL WHERE source_id = $source AND name = 'a/1'`);
    await expectServed(catalogue, ['a/1@1.0.0 x', 'a/2@1.0.0 x', 'a/2@2.0.0 y', 'a/3@1.0.0 x']);
    await write(`DELETE FROM entry WHERE source_id = $source AND name <> 'a/3'`);
    await expectServed(catalogue, ['a/3@1.0.0 x']);
  });

  it('misses nothing of a transaction that began before the last look and ended after it', async () => {
    await rows.publish('test', registry, 'a', [server('a/1'), server('a/2')]);
    const catalogue = await follow();
    const slow = await CatalogueRows.connect(database.app);
    try {
      await slow.query('BEGIN');
      await slow.query(`UPDATE entry SET server_json = replace(server_json, '"x"', '"slow"') FROM source
                         WHERE source.id = source_id AND source.registry = '${registry}' AND entry.name = 'a/1'`);
      await write(
        `UPDATE entry SET server_json = replace(server_json, '"x"', '"quick"') WHERE source_id = $source AND name = 'a/2'`,
      );
      await expectServed(catalogue, ['a/1@1.0.0 x', 'a/2@1.0.0 quick']);
      await slow.query(`UPDATE source SET generation = generation + 1 WHERE registry = '${registry}'`);
      await slow.notify('test', registry);
      await slow.query('COMMIT');
      await expectServed(catalogue, ['a/1@1.0.0 slow', 'a/2@1.0.0 quick']);
    } finally {
      await slow.end();
    }
  });

  it('gives a name to the first source that has it, at every change', async () => {
    await rows.addSource('test', registry, 'b', 1);
    await rows.publish('test', registry, 'a', [server('a/1', 'of a')]);
    await rows.publish('test', registry, 'b', [server('a/1', 'of b'), server('a/2', 'of b')]);
    const catalogue = await follow();
    await expectServed(catalogue, ['a/1@1.0.0 of a', 'a/2@1.0.0 of b']);
    await write(`UPDATE entry SET hidden_by = 'a rule' WHERE source_id = $source`, 'a');
    await expectServed(catalogue, ['a/1@1.0.0 of b', 'a/2@1.0.0 of b']);
    await expectServed(catalogue, [], 'a');
    await write(`UPDATE entry SET hidden_by = NULL WHERE source_id = $source`, 'a');
    await expectServed(catalogue, ['a/1@1.0.0 of a', 'a/2@1.0.0 of b']);
    await rows.query(`UPDATE source SET position = 1 - position WHERE registry = $1`, [registry]);
    await rows.notify('test', registry);
    await expectServed(catalogue, ['a/1@1.0.0 of b', 'a/2@1.0.0 of b']);
    await rows.query(`DELETE FROM source WHERE registry = $1 AND name = 'b'`, [registry]);
    await rows.notify('test', registry);
    await expectServed(catalogue, ['a/1@1.0.0 of a']);
  });

  it('tidies up when too much of its memory is waste', async () => {
    const entries = many(50);
    await rows.publish('test', registry, 'a', entries);
    const catalogue = await follow();
    await write(
      `UPDATE entry SET server_json = replace(server_json, '"x"', '"new"') WHERE source_id = $source AND name < 'a/0020'`,
    );
    await expectServed(
      catalogue,
      toTexts(entries.map((each) => (each.name < 'a/0020' ? { ...each, description: 'new' } : each))),
    );
    await eventually(() => sourceOf(catalogue).layout.segments.length === 1 || undefined, 10);
    expect(sourceOf(catalogue).layout.segments[0]?.length).toBe(50);
    expect(await textsOf(sourceOf(catalogue).reader)).toHaveLength(50);
  });
});

describe('a catalogue that does not fit into its memory', () => {
  const PADDING = 'p'.repeat(4096);

  // The budget covers all registries together, so remove the others.
  beforeEach(() => rows.query('DELETE FROM registry WHERE name <> $1', [registry]));

  it('withholds the entries whose names and texts alone exceed it, and counts them', async () => {
    const entries = many(100);
    await rows.publish('test', registry, 'a', entries);
    const { indexBytes } = sourceOf(await follow()).layout.segments[0] as Segment;
    // Half of this budget is for names and texts.
    const catalogue = await follow(indexBytes);
    const { withheld, reader } = sourceOf(catalogue);
    expect(withheld).toBeGreaterThan(40);
    expect(withheld).toBeLessThan(60);
    expect(await textsOf(reader)).toEqual(toTexts(entries.slice(0, 100 - withheld)));
    await rows.publish('test', registry, 'a', entries.slice(0, 10));
    await expectServed(catalogue, toTexts(entries.slice(0, 10)));
    expect(sourceOf(catalogue).withheld).toBe(0);
  });

  it('answers the same, with documents from the database', async () => {
    const entries = many(100).map((entry) => ({ ...entry, serverJson: JSON.stringify({ ...entry, pad: PADDING }) }));
    await rows.publish('test', registry, 'a', entries);
    const whole = await follow();
    const { bytes, indexBytes } = sourceOf(whole).layout.segments[0] as Segment;
    const catalogue = await follow((bytes + indexBytes) / 2);
    expect(sourceOf(catalogue).layout.segments[0]?.bytes).toBeLessThan(bytes * 0.6);
    await expectServed(catalogue, toTexts(entries));
    for (const name of ['a/0000', 'a/0099']) {
      const read = async (from: LiveCatalogue) =>
        Buffer.concat([...(await sourceOf(from).reader.version(name, 'latest', false)!.compose().body())]).toString();
      expect(await read(catalogue)).toBe(await read(whole));
    }
    await write(`UPDATE entry SET server_json = replace(server_json, '"x"', '"new"'), updated_at = now()
                  WHERE source_id = $source AND name = 'a/0099'`);
    await expectServed(
      catalogue,
      toTexts(entries.map((each) => (each.name === 'a/0099' ? { ...each, description: 'new' } : each))),
    );
  });
});
