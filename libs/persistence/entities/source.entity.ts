import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import { RegistryEntity } from './registry.entity.js';

/** One source of a registry: its place in the spec, and what of it was last published. */
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

  /** Order in the spec: the first source wins a name. */
  @Column('int')
  position!: number;

  /** The block of the spec: `git`, `configMapRef`, … */
  @Column('text')
  type!: string;

  @Column('text')
  format!: string;

  /** For people; without credentials. */
  @Column('text')
  address!: string;

  @Column('bigint', { name: 'interval_ms', nullable: true })
  intervalMs!: string | null;

  /** SourceFilter as JSON; null when there is none. */
  @Column('text', { nullable: true })
  filter!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** When its spec last changed. */
  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;

  /** When it left the spec; its rows are kept for a while because published entries exist nowhere else. Null in the spec. */
  @Column('timestamptz', { name: 'left_at', nullable: true })
  leftAt!: Date | null;

  /** Start of a sync whose end is not written down yet; it may have got lost. */
  @Column('timestamptz', { name: 'syncing_since', nullable: true })
  syncingSince!: Date | null;

  /** The published revision, as people read it; null until the first publish. */
  @Column('text', { nullable: true })
  revision!: string | null;

  /** Hash of the published content and of how it was read; equal means that there is nothing to import. */
  @Column('text', { name: 'content_hash', nullable: true })
  contentHash!: string | null;

  /** Hash of the spec that the published content was fetched and read with. */
  @Column('text', { name: 'spec_hash', nullable: true })
  specHash!: string | null;

  /** Hash of the filter that the entries are marked by: an edited filter takes effect before the source is asked. */
  @Column('text', { name: 'filter_hash', nullable: true })
  filterHash!: string | null;

  /** Hash of the filter of the last sync that succeeded. */
  @Column('text', { name: 'synced_filter_hash', nullable: true })
  syncedFilterHash!: string | null;

  /** Counts the publishes that wrote entries; readers reload when it moved. */
  @Column('bigint', { default: 0 })
  generation!: string;

  /**
   * A random name of this generation, set by the database: unlike generations and transaction ids, an edition is never used
   * again after the database was set back by a restore or a failover.
   */
  @Column('uuid')
  edition!: string;

  /** The last 64 editions, this one included: a reader that holds one of them can read what changed since. */
  @Column('uuid', { array: true, default: '{}' })
  editions!: string[];

  /** The transactions that made these editions. */
  @Column('bigint', { name: 'edition_writers', array: true, default: '{}' })
  editionWriters!: string[];

  /** How many rows of entries were deleted, as the database counts them; readers load the source whole again when it has changed. */
  @Column('bigint', { default: 0 })
  purged!: string;

  @Column('int', { name: 'served_count', default: 0 })
  servedCount!: number;

  @Column('int', { name: 'hidden_count', default: 0 })
  hiddenCount!: number;

  @Column('int', { name: 'quarantined_count', default: 0 })
  quarantinedCount!: number;

  /** Whether the quarantine is that of a refused revision: the published one has to be read again before it counts as unchanged. */
  @Column('boolean', { name: 'quarantine_refused', default: false })
  quarantineRefused!: boolean;

  /** When a sync last found the stored content to be the source's content. */
  @Column('timestamptz', { name: 'synced_at', nullable: true })
  syncedAt!: Date | null;

  /** The latest update among the entries of a source that is read page by page, to ask what came later. */
  @Column('text', { name: 'latest_update', nullable: true })
  latestUpdate!: string | null;

  /** Entity tag of the whole list, if the source has one. */
  @Column('text', { nullable: true })
  etag!: string | null;

  /** When all of it was last read: not every source tells of removals in between. */
  @Column('timestamptz', { name: 'swept_at', nullable: true })
  sweptAt!: Date | null;

  /** The revision that the shrink guard refused last; null when nothing is held back. */
  @Column('text', { name: 'held_revision', nullable: true })
  heldRevision!: string | null;

  /** Value of the sync-trigger annotation when that was refused. */
  @Column('text', { name: 'held_trigger', nullable: true })
  heldTrigger!: string | null;

  /** The held revision that was confirmed over the API. */
  @Column('text', { name: 'confirmed_revision', nullable: true })
  confirmedRevision!: string | null;

  /** The highest number of a sync run that has opened the source: a run with a lower one may not publish any more. */
  @Column('bigint', { default: 0 })
  fence!: string;
}
