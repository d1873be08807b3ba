import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Rows that are deleted leave no mark by which a reader would find them. It can see that there were some, so that it need
 * not count what is left after each change.
 */
export class CountPurgedEntries1764300000000 implements MigrationInterface {
  readonly name = 'CountPurgedEntries1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE source ADD COLUMN purged bigint NOT NULL DEFAULT 0;

      CREATE FUNCTION count_purged_entries() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE source SET purged = purged + gone.count
          FROM (SELECT source_id, count(*) AS count FROM deleted_entry GROUP BY source_id) AS gone
         WHERE source.id = gone.source_id;
        RETURN NULL;
      END $$;
      CREATE TRIGGER entry_purged AFTER DELETE ON entry REFERENCING OLD TABLE AS deleted_entry
        FOR EACH STATEMENT EXECUTE FUNCTION count_purged_entries();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER entry_purged ON entry;
      DROP FUNCTION count_purged_entries;
      ALTER TABLE source DROP COLUMN purged;
    `);
  }
}
