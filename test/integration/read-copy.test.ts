import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withClient } from '#persistence/database-client.js';
import { readCopy } from '#persistence/read-copy.js';
import type { CopiedRow } from '#persistence/read-copy.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';
import { eventually } from '#support/eventually.js';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ ...database.app });
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await database.drop();
});

const noRest = () => undefined;

async function read<T>(query: string, take: (row: CopiedRow) => T): Promise<T[]> {
  const rows: T[] = [];
  await readCopy(client, query, (row) => void rows.push(take(row)), noRest);
  return rows;
}

async function pidOf(of: pg.Client): Promise<number | undefined> {
  return (await of.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
}

/** Returns the event that a session waits for, as reported by its server. */
async function waitOf(pid: number | undefined): Promise<string | undefined> {
  return withClient(database.app, async (other) => {
    const query = 'SELECT wait_event AS event FROM pg_stat_activity WHERE pid = $1';
    return (await other.query<{ event: string }>(query, [pid])).rows[0]?.event;
  });
}

describe('rows that are copied from the database', () => {
  it('contain what a query would return', async () => {
    const query = `SELECT * FROM (VALUES
      ('\\x00ff'::bytea, 'Zwei ä'::text, NULL::text, '{a,"b c"}'::text[], '2026-11-27T08:00:00.123Z'::timestamptz, true),
      (NULL, '', 'x', '{}', '1969-12-31T23:59:59.999Z', false)) AS rows`;
    const rows = await read(query, (row) => [
      row.bytes()?.toString('hex') ?? null,
      row.text(),
      row.nullableText(),
      row.texts(),
      row.time(),
      row.flag(),
    ]);
    expect(rows).toEqual([
      ['00ff', 'Zwei ä', null, ['a', 'b c'], Date.UTC(2026, 10, 27, 8, 0, 0, 123), true],
      [null, '', 'x', [], -1, false],
    ]);
  });

  it('may be none', async () => {
    expect(await read('SELECT 1 WHERE false', (row) => row.text())).toEqual([]);
  });

  it('may be larger than a chunk, and numerous', async () => {
    const query = `SELECT n::text, repeat('x', n * 1000) FROM generate_series(0, 300) AS n`;
    const lengths = await read(query, (row) => [row.text(), row.text().length]);
    expect(lengths).toEqual(Array.from({ length: 301 }, (_, n) => [String(n), n * 1000]));
  });

  it.each([
    ['cannot be found', 'SELECT nothing', 'column "nothing" does not exist'],
    ['come to an end in the middle', 'SELECT 1 / (5000 - n) FROM generate_series(1, 9000) AS n', 'division by zero'],
  ])('that %s are an error, and the connection remains usable', async (_, query, message) => {
    await expect(read(query, () => undefined)).rejects.toThrow(message);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('whose reader fails are read to the end, and the connection remains usable', async () => {
    let calls = 0;
    const failing = read(`SELECT n FROM generate_series(1, 9000) AS n`, () => {
      calls++;
      throw new Error('no room');
    });
    await expect(failing).rejects.toThrow('no room');
    expect(calls).toBe(1);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('of a broken connection are an error', async () => {
    const other = new pg.Client({ ...database.app });
    other.on('error', () => undefined);
    await other.connect();
    const pid = await pidOf(other);
    const reading = readCopy(other, 'SELECT pg_sleep(60)', () => undefined, noRest);
    const failing = expect(reading).rejects.toThrow('terminating connection');
    await client.query('SELECT pg_terminate_backend($1)', [pid]);
    await failing;
  });

  it('wait for a reader that pauses', async () => {
    const rest = Promise.withResolvers<void>();
    const pid = await pidOf(client);
    let rows = 0;
    const reading = readCopy(
      client,
      `SELECT repeat('x', 10000) FROM generate_series(1, 2000)`,
      () => void rows++,
      () => rest.promise,
    );
    // The server has filled the buffers between itself and the client, and waits for the client to read on.
    await eventually(async () => ((await waitOf(pid)) === 'ClientWrite' ? true : undefined));
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(200);
    rest.resolve();
    await reading;
    expect(rows).toBe(2000);
  });
});
