import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What views of a source show beside its syncs: its filter, when it was made and edited, and that a sync is running. */
export class DescribeSources1764200000000 implements MigrationInterface {
  readonly name = 'DescribeSources1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE source
        ADD COLUMN filter text,
        ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
        ADD COLUMN syncing_since timestamptz;
      ALTER TABLE sync_run ADD COLUMN failure_destiny text;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE source DROP COLUMN filter, DROP COLUMN created_at, DROP COLUMN updated_at, DROP COLUMN syncing_since;
      ALTER TABLE sync_run DROP COLUMN failure_destiny;
    `);
  }
}
