import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import { RegistryEntity } from './registry.entity.js';

/** One source of a registry: its configuration from the spec, and the state of its last publication. */
@Entity({ name: 'source' })
@Index('source_registry_name_key', ['namespace', 'registry', 'name'], { unique: true })
export class SourceEntity {
  @PrimaryGeneratedColumn('identity', { primaryKeyConstraintName: 'source_pkey', generatedIdentity: 'ALWAYS' })
  id!: number;

  @Column({ type: 'text', collation: 'C' })
  namespace!: string;

  @Column({ type: 'text', collation: 'C' })
  registry!: string;

  @ManyToOne(() => RegistryEntity, { onDelete: 'CASCADE' })
  @JoinColumn([
    { name: 'namespace', referencedColumnName: 'namespace', foreignKeyConstraintName: 'source_registry_fkey' },
    { name: 'registry', referencedColumnName: 'name', foreignKeyConstraintName: 'source_registry_fkey' },
  ])
  owner!: Relation<RegistryEntity>;

  @Column({ type: 'text', collation: 'C' })
  name!: string;

  /** Position in the spec. If several sources have the same name, the first takes precedence. */
  @Column('int')
  position!: number;

  /** Name of the block in the spec: `git`, `configMapRef`, … */
  @Column('text')
  type!: string;

  @Column('text')
  format!: string;

  /** The address to show to users, without credentials. */
  @Column('text')
  address!: string;

  @Column('bigint', { name: 'interval_ms', nullable: true })
  intervalMs!: string | null;

  /** The SourceFilter as JSON. Null if there is none. */
  @Column('text', { nullable: true })
  filter!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** Time at which the spec of the source last changed. */
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  /**
   * Time at which the source was removed from the spec. Its rows are kept for a while, because published entries exist
   * nowhere else. Null while the source is in the spec.
   */
  @Column('timestamptz', { name: 'left_at', nullable: true })
  leftAt!: Date | null;

  /** Start of a sync whose end has not been recorded yet. The sync may have been lost. */
  @Column('timestamptz', { name: 'syncing_since', nullable: true })
  syncingSince!: Date | null;

  /** The published revision in its human-readable form. Null until the first publication. */
  @Column('text', { nullable: true })
  revision!: string | null;

  /** Hash of the published content and of how it was read. If the hash is unchanged, there is nothing to import. */
  @Column('text', { name: 'content_hash', nullable: true })
  contentHash!: string | null;

  /** Hash of the spec with which the published content was fetched and read. */
  @Column('text', { name: 'spec_hash', nullable: true })
  specHash!: string | null;

  /**
   * Hash of the filter that was last applied to the stored entries. An edited filter takes effect before the source is
   * fetched again.
   */
  @Column('text', { name: 'filter_hash', nullable: true })
  filterHash!: string | null;

  /** Hash of the filter of the last successful sync. */
  @Column('text', { name: 'synced_filter_hash', nullable: true })
  syncedFilterHash!: string | null;

  /** Number of publications that wrote entries. Readers reload when it changes. */
  @Column('bigint', { default: 0 })
  generation!: string;

  /**
   * A random id of this generation, set by the database. Unlike generations and transaction ids, an edition is never
   * used again after the database was reset by a restore or a failover.
   */
  @Column('uuid')
  edition!: string;

  /**
   * The last 64 editions, including the current one. A reader that has one of them can read only the changes since
   * then.
   */
  @Column('uuid', { array: true, default: '{}' })
  editions!: string[];

  /** The transactions that created these editions. */
  @Column('bigint', { name: 'edition_writers', array: true, default: '{}' })
  editionWriters!: string[];

  /** Number of deleted entry rows, counted by the database. Readers reload the whole source when it changes. */
  @Column('bigint', { default: 0 })
  purged!: string;

  @Column('int', { name: 'served_count', default: 0 })
  servedCount!: number;

  @Column('int', { name: 'hidden_count', default: 0 })
  hiddenCount!: number;

  @Column('int', { name: 'quarantined_count', default: 0 })
  quarantinedCount!: number;

  /**
   * Whether the quarantine belongs to a refused revision. If so, the published revision must be read again before the
   * source counts as unchanged.
   */
  @Column('boolean', { name: 'quarantine_refused', default: false })
  quarantineRefused!: boolean;

  /** Time at which a sync last confirmed that the stored content is the current content of the source. */
  @Column('timestamptz', { name: 'synced_at', nullable: true })
  syncedAt!: Date | null;

  /**
   * Time of the latest update among the entries of a source that is read page by page, used to request only later
   * updates.
   */
  @Column('text', { name: 'latest_update', nullable: true })
  latestUpdate!: string | null;

  /** Entity tag of the whole list, if the source provides one. */
  @Column('text', { nullable: true })
  etag!: string | null;

  /** Time of the last full read, because some sources do not report removals otherwise. */
  @Column('timestamptz', { name: 'swept_at', nullable: true })
  sweptAt!: Date | null;

  /** The last revision that the shrink guard blocked. Null if none is blocked. */
  @Column('text', { name: 'held_revision', nullable: true })
  heldRevision!: string | null;

  /** Value of the sync-trigger annotation when the revision was blocked. */
  @Column('text', { name: 'held_trigger', nullable: true })
  heldTrigger!: string | null;

  /** The entries that the blocked revision would remove, each as `name version`. */
  @Column('text', { name: 'held_removals', array: true, nullable: true, select: false })
  heldRemovals!: string[] | null;

  /** Whether the removals were confirmed through the API. */
  @Column('boolean', { name: 'held_confirmed', default: false })
  heldConfirmed!: boolean;

  /** The highest run number that has opened the source. A run with a lower number can no longer publish. */
  @Column('bigint', { default: 0 })
  fence!: string;
}
