import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An edited filter marks the stored entries at once; the sync that follows must see that it was edited all the same. */
export class RememberSyncedFilter1764400000000 implements MigrationInterface {
  readonly name = 'RememberSyncedFilter1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE source ADD COLUMN synced_filter_hash text;
      UPDATE source SET synced_filter_hash = filter_hash;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE source DROP COLUMN synced_filter_hash');
  }
}
