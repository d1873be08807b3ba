import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** One version of one server. A removed one stays as a tombstone for a while, so that mirrors learn of the removal. */
@Entity({ name: 'entry' })
@Index('entry_source_updated_idx', ['sourceId', 'updatedAt'])
@Index('entry_source_written_idx', ['sourceId', 'writtenBy'])
@Index('entry_source_deleted_idx', ['sourceId', 'deletedAt'], { where: 'deleted_at IS NOT NULL' })
export class EntryEntity {
  /** Not a foreign key, which would be looked up for each row of an import; a trigger deletes entries with their source. */
  @PrimaryColumn('int', { name: 'source_id', primaryKeyConstraintName: 'entry_pkey' })
  sourceId!: number;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'entry_pkey' })
  name!: string;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'entry_pkey' })
  version!: string;

  /** What the source itself calls it. */
  @Column({ type: 'text', collation: 'C' })
  key!: string;

  /** SHA-256 of everything below that comes from the source. */
  @Column('bytea')
  hash!: Buffer;

  /** The document exactly as it is served, in its own key order. Stored EXTERNAL: no compression to undo on reads. */
  @Column('text', { name: 'server_json' })
  serverJson!: string;

  /** Members of the `_meta` beside the document that are not the official one, without braces; null where there are none. */
  @Column('text', { name: 'foreign_meta', nullable: true })
  foreignMeta!: string | null;

  @Column('text', { nullable: true })
  title!: string | null;

  @Column('text')
  description!: string;

  @Column('text', { array: true, default: '{}' })
  tags!: string[];

  /** How it is run and reached, to filter by. */
  @Column('text', { array: true, default: '{}' })
  facets!: string[];

  /** `active` or `deprecated`; a tombstone has `deletedAt` beside it. */
  @Column('text', { default: 'active' })
  status!: string;

  /** Why it is deprecated or deleted, in the words of the registry that it came from. */
  @Column('text', { name: 'status_message', nullable: true })
  statusMessage!: string | null;

  /** The filter rule that leaves it out; null when it is served. */
  @Column('text', { name: 'hidden_by', nullable: true })
  hiddenBy!: string | null;

  /** What the registry that it came from says of it; null where none does. It decides which version is the latest. */
  @Column('boolean', { name: 'is_latest', nullable: true })
  isLatest!: boolean | null;

  /** Where it stood in what it was first published with, to order versions of one time that are no semantic ones. */
  @Column('int', { default: 0 })
  position!: number;

  /** First seen in this store, or as the registry says that it came from. Milliseconds at most: JavaScript dates must hold it whole. */
  @Column({ type: 'timestamptz', name: 'published_at', precision: 3, default: () => 'now()' })
  publishedAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'timestamptz', name: 'status_changed_at', precision: 3, default: () => 'now()' })
  statusChangedAt!: Date;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt!: Date | null;

  /** The identity provider that vouched for the publisher; null for entries that were synced. */
  @Column('text', { name: 'publisher_provider', nullable: true })
  publisherProvider!: string | null;

  /** The publisher's `sub`, or what stands for it. */
  @Column('text', { name: 'publisher_subject', nullable: true })
  publisherSubject!: string | null;

  /**
   * The transaction that last wrote the row: kept by the database itself, so that no writer can forget it. Readers ask
   * for what was written by transactions that they have not seen; times would not do, since a transaction that began
   * earlier may end later.
   */
  @Column('bigint', { name: 'written_by', default: () => 'current_writer()' })
  writtenBy!: string;
}
