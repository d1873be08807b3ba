import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCatalogue1763800000000 implements MigrationInterface {
  readonly name = 'CreateCatalogue1763800000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statements of [STORE, SOURCES, ENTRIES, WALKS, QUARANTINE, RUNS]) await runner.query(statements);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE sync_run, quarantined_entry, staged_item, staged_walk, entry, source, registry, store;
      DROP FUNCTION current_writer, mark_entry_written, count_purged_entries, delete_entries, mark_edition;
    `);
  }
}

const STORE = `
  CREATE TABLE store (
    id uuid CONSTRAINT store_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now(),
    owner text,
    cluster text,
    claimed_by uuid,
    claimed_at timestamptz
  );
  INSERT INTO store (id) VALUES (gen_random_uuid());

  CREATE TABLE registry (
    namespace text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    uid uuid NOT NULL,
    claimed_at timestamptz,
    display_name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT registry_pkey PRIMARY KEY (namespace, name)
  );
`;

/**
 * Each change of the generation gets a random edition, and the row keeps the last 64. Generations and transaction ids
 * are reused after a restore or a lossy failover, but editions are not.
 */
const SOURCES = `
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
    filter text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    left_at timestamptz,
    syncing_since timestamptz,
    revision text,
    content_hash text,
    spec_hash text,
    filter_hash text,
    synced_filter_hash text,
    held_revision text,
    held_trigger text,
    held_removals text[],
    held_confirmed boolean NOT NULL DEFAULT false,
    fence bigint NOT NULL DEFAULT 0,
    generation bigint NOT NULL DEFAULT 0,
    edition uuid NOT NULL,
    editions uuid[] NOT NULL DEFAULT '{}',
    edition_writers bigint[] NOT NULL DEFAULT '{}',
    purged bigint NOT NULL DEFAULT 0,
    served_count int NOT NULL DEFAULT 0,
    hidden_count int NOT NULL DEFAULT 0,
    quarantined_count int NOT NULL DEFAULT 0,
    quarantine_refused boolean NOT NULL DEFAULT false,
    synced_at timestamptz,
    latest_update text,
    etag text,
    swept_at timestamptz,
    CONSTRAINT source_registry_fkey FOREIGN KEY (namespace, registry)
      REFERENCES registry (namespace, name) ON DELETE CASCADE
  );
  CREATE UNIQUE INDEX source_registry_name_key ON source (namespace, registry, name);

  CREATE FUNCTION mark_edition() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    before uuid[] := '{}';
    writers bigint[] := '{}';
  BEGIN
    IF TG_OP = 'UPDATE' THEN
      IF NEW.generation = OLD.generation THEN
        RETURN NEW;
      END IF;
      before := OLD.editions;
      writers := OLD.edition_writers;
    END IF;
    NEW.edition := gen_random_uuid();
    NEW.editions := before[greatest(1, cardinality(before) - 62):] || NEW.edition;
    NEW.edition_writers := writers[greatest(1, cardinality(writers) - 62):] || pg_current_xact_id()::text::bigint;
    RETURN NEW;
  END $$;
  CREATE TRIGGER source_edition BEFORE INSERT OR UPDATE ON source FOR EACH ROW EXECUTE FUNCTION mark_edition();
`;

/**
 * - There is no foreign key to the source, because it would be checked for each row of an import. Instead, writers lock
 *   the source's row, and a trigger deletes entries together with their source.
 * - Half of the documents are slightly too long for the default limit of a row, and each of them would need two rows in
 *   a side table and two entries in its index. So a row may fill a page instead.
 * - The database records the transaction that wrote a row, so that no writer can forget it. Readers query the rows
 *   written by transactions that they have not seen. Deleted rows leave no such mark, so they are counted.
 * - Each publication looks for tombstones. They are few and have their own index.
 */
const ENTRIES = `
  CREATE FUNCTION current_writer() RETURNS bigint LANGUAGE sql VOLATILE
    RETURN pg_current_xact_id()::text::bigint;

  CREATE TABLE entry (
    source_id int NOT NULL,
    name text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    hash bytea NOT NULL,
    server_json text NOT NULL,
    foreign_meta text,
    title text,
    description text NOT NULL,
    tags text[] NOT NULL DEFAULT '{}',
    facets text[] NOT NULL DEFAULT '{}',
    status text NOT NULL DEFAULT 'active',
    status_message text,
    hidden_by text,
    is_latest boolean,
    position int NOT NULL DEFAULT 0,
    published_at timestamptz(3) NOT NULL DEFAULT now(),
    updated_at timestamptz(3) NOT NULL DEFAULT now(),
    status_changed_at timestamptz(3) NOT NULL DEFAULT now(),
    deleted_at timestamptz(3),
    publisher_provider text,
    publisher_subject text,
    written_by bigint NOT NULL DEFAULT current_writer(),
    CONSTRAINT entry_pkey PRIMARY KEY (source_id, name, version)
  ) WITH (toast_tuple_target = 8160);
  ALTER TABLE entry ALTER COLUMN server_json SET STORAGE EXTERNAL;
  CREATE INDEX entry_source_updated_idx ON entry (source_id, updated_at);
  CREATE INDEX entry_source_written_idx ON entry (source_id, written_by);
  CREATE INDEX entry_source_deleted_idx ON entry (source_id, deleted_at) WHERE deleted_at IS NOT NULL;

  CREATE FUNCTION mark_entry_written() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.written_by := current_writer();
    RETURN NEW;
  END $$;
  CREATE TRIGGER entry_written BEFORE UPDATE ON entry FOR EACH ROW EXECUTE FUNCTION mark_entry_written();

  CREATE FUNCTION count_purged_entries() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    UPDATE source SET purged = purged + gone.count
      FROM (SELECT source_id, count(*) AS count FROM deleted_entry GROUP BY source_id) AS gone
     WHERE source.id = gone.source_id;
    RETURN NULL;
  END $$;
  CREATE TRIGGER entry_purged AFTER DELETE ON entry REFERENCING OLD TABLE AS deleted_entry
    FOR EACH STATEMENT EXECUTE FUNCTION count_purged_entries();

  CREATE FUNCTION delete_entries() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    DELETE FROM entry WHERE source_id = OLD.id;
    RETURN NULL;
  END $$;
  CREATE TRIGGER source_deleted AFTER DELETE ON source FOR EACH ROW EXECUTE FUNCTION delete_entries();
`;

const WALKS = `
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
`;

/** Names and keys in the quarantine can have any length, and only a hash index supports that. */
const QUARANTINE = `
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
  CREATE INDEX quarantined_entry_name_idx ON quarantined_entry USING hash (name);
  CREATE INDEX quarantined_entry_key_idx ON quarantined_entry USING hash (key);
`;

const RUNS = `
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
    failure_message text,
    failure_destiny text
  );
  CREATE INDEX sync_run_source_started_idx ON sync_run (source_id, started_at);
`;
