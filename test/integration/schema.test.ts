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
  it('that the migrations make is the one that the entities describe', async () => {
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

  it('is migrated once, also by several processes at once, and keeps its identity', async () => {
    const before = await readStoreId(database.app);
    expect(await Promise.all([migrate(database), migrate(database), migrate(database)])).toEqual([[], [], []]);
    expect(await readStoreId(database.app)).toBe(before);
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
