import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCatalogue1763800000000 implements MigrationInterface {
  readonly name = 'CreateCatalogue1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE store (
        id uuid CONSTRAINT store_pkey PRIMARY KEY,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      INSERT INTO store (id) VALUES (gen_random_uuid());

      CREATE TABLE registry (
        namespace text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        uid uuid NOT NULL,
        display_name text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT registry_pkey PRIMARY KEY (namespace, name)
      );

      CREATE TABLE source (
        id int GENERATED ALWAYS AS IDENTITY CONSTRAINT source_pkey PRIMARY KEY,
        namespace text COLLATE "C" NOT NULL,
        registry text COLLATE "C" NOT NULL,
        name text COLLATE "C" NOT NULL,
        position int NOT NULL,
        type text NOT NULL,
        format text NOT NULL,
        address text NOT NULL,
        interval_ms bigint,
        revision text,
        content_hash text,
        spec_hash text,
        filter_hash text,
        generation bigint NOT NULL DEFAULT 0,
        served_count int NOT NULL DEFAULT 0,
        hidden_count int NOT NULL DEFAULT 0,
        quarantined_count int NOT NULL DEFAULT 0,
        synced_at timestamptz,
        latest_update text,
        etag text,
        swept_at timestamptz,
        CONSTRAINT source_registry_fkey FOREIGN KEY (namespace, registry)
          REFERENCES registry (namespace, name) ON DELETE CASCADE
      );
      CREATE UNIQUE INDEX source_registry_name_key ON source (namespace, registry, name);

      CREATE TABLE entry (
        source_id int NOT NULL CONSTRAINT entry_source_fkey REFERENCES source (id) ON DELETE CASCADE,
        name text COLLATE "C" NOT NULL,
        version text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        hash bytea NOT NULL,
        server_json text NOT NULL,
        title text,
        description text NOT NULL,
        tags text[] NOT NULL DEFAULT '{}',
        status text NOT NULL DEFAULT 'active',
        status_message text,
        hidden_by text,
        published_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        status_changed_at timestamptz(3) NOT NULL DEFAULT now(),
        deleted_at timestamptz(3),
        CONSTRAINT entry_pkey PRIMARY KEY (source_id, name, version)
      );
      ALTER TABLE entry ALTER COLUMN server_json SET STORAGE EXTERNAL;
      CREATE INDEX entry_source_updated_idx ON entry (source_id, updated_at);

      CREATE UNLOGGED TABLE staged_walk (
        source_id int CONSTRAINT staged_walk_pkey PRIMARY KEY
          CONSTRAINT staged_walk_source_fkey REFERENCES source (id) ON DELETE CASCADE,
        walk text NOT NULL,
        cursor text,
        pages int NOT NULL DEFAULT 0,
        items int NOT NULL DEFAULT 0,
        is_whole boolean NOT NULL DEFAULT false,
        latest_update text,
        etag text
      );
      CREATE UNLOGGED TABLE staged_item (
        source_id int NOT NULL CONSTRAINT staged_item_walk_fkey REFERENCES staged_walk (source_id) ON DELETE CASCADE,
        position int NOT NULL,
        item text NOT NULL,
        CONSTRAINT staged_item_pkey PRIMARY KEY (source_id, position)
      );

      CREATE TABLE quarantined_entry (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT quarantined_entry_pkey PRIMARY KEY,
        source_id int NOT NULL CONSTRAINT quarantined_entry_source_fkey REFERENCES source (id) ON DELETE CASCADE,
        key text NOT NULL,
        name text,
        version text,
        path text NOT NULL,
        message text NOT NULL
      );
      CREATE INDEX quarantined_entry_source_idx ON quarantined_entry (source_id);

      CREATE TABLE sync_run (
        workflow_id text CONSTRAINT sync_run_pkey PRIMARY KEY,
        source_id int NOT NULL CONSTRAINT sync_run_source_fkey REFERENCES source (id) ON DELETE CASCADE,
        trigger text NOT NULL,
        started_at timestamptz(3) NOT NULL,
        finished_at timestamptz(3) NOT NULL,
        revision text,
        counts jsonb,
        warning text,
        failure_reason text,
        failure_message text
      );
      CREATE INDEX sync_run_source_started_idx ON sync_run (source_id, started_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'DROP TABLE sync_run, quarantined_entry, staged_item, staged_walk, entry, source, registry, store',
    );
  }
}
