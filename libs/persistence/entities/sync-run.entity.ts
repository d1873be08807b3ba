import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import type { EntryCounts } from '#domain/sync.js';
import { SourceEntity } from './source.entity.js';

/** The result of one sync. The newest 200 of a source are kept. */
@Entity({ name: 'sync_run' })
@Index('sync_run_source_started_idx', ['sourceId', 'startedAt'])
export class SyncRunEntity {
  /** The id of the child workflow, which makes writes idempotent. */
  @PrimaryColumn('text', { name: 'workflow_id', primaryKeyConstraintName: 'sync_run_pkey' })
  workflowId!: string;

  @Column('int', { name: 'source_id' })
  sourceId!: number;

  @ManyToOne(() => SourceEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'source_id', foreignKeyConstraintName: 'sync_run_source_fkey' })
  source!: Relation<SourceEntity>;

  @Column('text')
  trigger!: string;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3 })
  startedAt!: Date;

  @Column({ type: 'timestamptz', name: 'finished_at', precision: 3 })
  finishedAt!: Date;

  @Column('text', { nullable: true })
  revision!: string | null;

  /** EntryCounts. Null if nothing was published. */
  @Column('jsonb', { nullable: true })
  counts!: EntryCounts | null;

  @Column('text', { nullable: true })
  warning!: string | null;

  @Column('text', { name: 'failure_reason', nullable: true })
  failureReason!: string | null;

  @Column('text', { name: 'failure_message', nullable: true })
  failureMessage!: string | null;

  /** Whether the failure leads to a retry. */
  @Column('text', { name: 'failure_destiny', nullable: true })
  failureDestiny!: string | null;
}
