import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * One version of one server. After its removal, it is kept as a tombstone for a while, so that mirrors learn of the
 * removal.
 */
@Entity({ name: 'entry' })
@Index('entry_source_updated_idx', ['sourceId', 'updatedAt'])
@Index('entry_source_written_idx', ['sourceId', 'writtenBy'])
@Index('entry_source_deleted_idx', ['sourceId', 'deletedAt'], { where: 'deleted_at IS NOT NULL' })
export class EntryEntity {
  /**
   * Not a foreign key, because it would be checked for each row of an import. A trigger deletes the entries together
   * with their source.
   */
  @PrimaryColumn('int', { name: 'source_id', primaryKeyConstraintName: 'entry_pkey' })
  sourceId!: number;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'entry_pkey' })
  name!: string;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'entry_pkey' })
  version!: string;

  /** The source's own identifier of the entry. */
  @Column({ type: 'text', collation: 'C' })
  key!: string;

  /** SHA-256 of all columns below that come from the source. */
  @Column('bytea')
  hash!: Buffer;

  /**
   * The document exactly as it is served, with its original key order. Stored as EXTERNAL, so that reads do not have to
   * decompress it.
   */
  @Column('text', { name: 'server_json' })
  serverJson!: string;

  /**
   * Members of the `_meta` next to the document, except for the official one, without the surrounding braces. Null if
   * there are none.
   */
  @Column('text', { name: 'foreign_meta', nullable: true })
  foreignMeta!: string | null;

  @Column('text', { nullable: true })
  title!: string | null;

  @Column('text')
  description!: string;

  @Column('text', { array: true, default: '{}' })
  tags!: string[];

  /** Facets that can be filtered by: how the server can be run or reached. */
  @Column('text', { array: true, default: '{}' })
  facets!: string[];

  /** `active` or `deprecated`. A tombstone has `deletedAt` in addition. */
  @Column('text', { default: 'active' })
  status!: string;

  /** Reason for the deprecation or deletion, as given by the registry from which the entry came. */
  @Column('text', { name: 'status_message', nullable: true })
  statusMessage!: string | null;

  /** The filter rule that excludes the entry. Null if it is served. */
  @Column('text', { name: 'hidden_by', nullable: true })
  hiddenBy!: string | null;

  /**
   * Whether the registry from which the entry came marks it as the latest version. The mark determines which version is
   * the latest. Null if the registry does not say.
   */
  @Column('boolean', { name: 'is_latest', nullable: true })
  isLatest!: boolean | null;

  /**
   * Position in the publication in which the entry first appeared. Used to order versions that have the same time and
   * are not semantic versions.
   */
  @Column('int', { default: 0 })
  position!: number;

  /**
   * Time at which the entry was first seen in this store, or the time given by the registry from which it came. The
   * precision is limited to milliseconds, so that a JavaScript Date can hold it exactly.
   */
  @Column({ type: 'timestamptz', name: 'published_at', precision: 3, default: () => 'now()' })
  publishedAt!: Date;

  @Column({ type: 'timestamptz', name: 'updated_at', precision: 3, default: () => 'now()' })
  updatedAt!: Date;

  @Column({ type: 'timestamptz', name: 'status_changed_at', precision: 3, default: () => 'now()' })
  statusChangedAt!: Date;

  @Column({ type: 'timestamptz', name: 'deleted_at', precision: 3, nullable: true })
  deletedAt!: Date | null;

  /** The identity provider that vouched for the publisher. Null for entries that were synced. */
  @Column('text', { name: 'publisher_provider', nullable: true })
  publisherProvider!: string | null;

  /** The publisher's `sub`, or the claim used in its place. */
  @Column('text', { name: 'publisher_subject', nullable: true })
  publisherSubject!: string | null;

  /**
   * Id of the transaction that last wrote the row. The database sets it, so that no writer can forget it. Readers query
   * the rows written by transactions that they have not seen. Timestamps cannot be used for that, because a transaction
   * that started earlier may commit later.
   */
  @Column('bigint', { name: 'written_by', default: () => 'current_writer()' })
  writtenBy!: string;
}
