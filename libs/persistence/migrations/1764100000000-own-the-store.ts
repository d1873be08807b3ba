import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A database says whose it is; null in one that several registries share, as standalone's. */
export class OwnTheStore1764100000000 implements MigrationInterface {
  readonly name = 'OwnTheStore1764100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE store ADD COLUMN owner text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE store DROP COLUMN owner');
  }
}
