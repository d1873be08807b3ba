import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What readers filter by, and by what they find the rows that changed since they last looked. */
export class MarkChanges1764000000000 implements MigrationInterface {
  readonly name = 'MarkChanges1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE entry ADD COLUMN facets text[] NOT NULL DEFAULT '{}';

      CREATE FUNCTION current_writer() RETURNS bigint LANGUAGE sql VOLATILE
        RETURN pg_current_xact_id()::text::bigint;
      ALTER TABLE entry ADD COLUMN written_by bigint NOT NULL DEFAULT current_writer();
      CREATE INDEX entry_source_written_idx ON entry (source_id, written_by);

      CREATE FUNCTION mark_entry_written() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        NEW.written_by := current_writer();
        RETURN NEW;
      END $$;
      CREATE TRIGGER entry_written BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION mark_entry_written();
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TRIGGER entry_written ON entry;
      DROP FUNCTION mark_entry_written;
      ALTER TABLE entry DROP COLUMN facets, DROP COLUMN written_by;
      DROP FUNCTION current_writer;
    `);
  }
}
