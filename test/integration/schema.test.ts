import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from '#persistence/database.js';
import { migrate, readStoreId } from '#persistence/migrate.js';
import { createTestDatabase } from '#support/database.js';
import type { TestDatabase } from '#support/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database?.drop());

async function as(role: 'app' | 'migrator', sql: string): Promise<unknown[]> {
  const client = new pg.Client(database[role]);
  await client.connect();
  try {
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe('the schema', () => {
  it('created by the migrations equals the one of the entities', async () => {
    const dataSource = await createDataSource(database.migrator, {
      maxConnections: 1,
      onError: () => undefined,
    }).initialize();
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  });

  it('is migrated once, also by concurrent processes, and keeps its identity', async () => {
    const before = await readStoreId(database.app);
    expect(await Promise.all([migrate(database), migrate(database), migrate(database)])).toEqual([[], [], []]);
    expect(await readStoreId(database.app)).toBe(before);
  });

  it('gives each generation of a source a random edition, and keeps the last 64', async () => {
    await as('app', "INSERT INTO registry (namespace, name, uid) VALUES ('e', 'e', gen_random_uuid())");
    await as(
      'app',
      "INSERT INTO source (namespace, registry, name, position, type, format, address) VALUES ('e', 'e', 's', 0, 'git', 'x', 'x')",
    );
    const read = async () =>
      (
        await as(
          'app',
          "SELECT edition, editions, cardinality(edition_writers) AS writers FROM source WHERE registry = 'e'",
        )
      )[0] as {
        edition: string;
        editions: string[];
        writers: number;
      };
    const seen = [(await read()).edition];
    for (let generation = 1; generation <= 70; generation++) {
      await as('app', "UPDATE source SET generation = generation + 1 WHERE registry = 'e'");
      seen.push((await read()).edition);
      await as('app', "UPDATE source SET synced_at = now() WHERE registry = 'e'");
    }
    expect(new Set(seen).size).toBe(71);
    expect(await read()).toEqual({ edition: seen.at(-1), editions: seen.slice(-64), writers: 64 });
  });

  it('lets the app role read and write rows, and nothing else', async () => {
    const tables = (await as(
      'migrator',
      `SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`,
    )) as { tablename: string }[];
    expect(tables.length).toBeGreaterThan(5);
    for (const { tablename } of tables) {
      await expect(as('app', `SELECT * FROM ${tablename}`)).resolves.toBeDefined();
      await expect(as('app', `DROP TABLE ${tablename}`)).rejects.toThrow('must be owner');
    }
    await expect(as('app', 'CREATE TABLE mine (id int)')).rejects.toThrow('permission denied');
    await expect(
      as('app', "INSERT INTO registry (namespace, name, uid) VALUES ('a', 'b', gen_random_uuid())"),
    ).resolves.toEqual([]);
  });
});
