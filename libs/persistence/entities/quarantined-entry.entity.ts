import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import type { Relation } from 'typeorm';
import { SourceEntity } from './source.entity.js';

/** An entry of the published revision that cannot be served, and the reason. */
@Entity({ name: 'quarantined_entry' })
@Index('quarantined_entry_source_idx', ['sourceId'])
@Index('quarantined_entry_name_idx', ['name'], { type: 'hash' })
@Index('quarantined_entry_key_idx', ['key'], { type: 'hash' })
export class QuarantinedEntryEntity {
  @PrimaryGeneratedColumn('identity', {
    type: 'bigint',
    primaryKeyConstraintName: 'quarantined_entry_pkey',
    generatedIdentity: 'ALWAYS',
  })
  id!: string;

  @Column('int', { name: 'source_id' })
  sourceId!: number;

  @ManyToOne(() => SourceEntity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'source_id', foreignKeyConstraintName: 'quarantined_entry_source_fkey' })
  source!: Relation<SourceEntity>;

  @Column('text')
  key!: string;

  @Column('text', { nullable: true })
  name!: string | null;

  @Column('text', { nullable: true })
  version!: string | null;

  /** Location of the error in the entry. Empty if it concerns the entry as a whole. */
  @Column('text')
  path!: string;

  @Column('text')
  message!: string;
}
