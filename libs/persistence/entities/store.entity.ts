import { Column, Entity, PrimaryColumn } from 'typeorm';

/** This database's own identity; exactly one row, made by the first migration. Task queues are named after it. */
@Entity({ name: 'store' })
export class StoreEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'store_pkey' })
  id!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** `namespace/name` of the MCPRegistry that it belongs to; null when several share it. */
  @Column('text', { nullable: true })
  owner!: string | null;
}
