import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The identity of this database: exactly one row, created by the first migration. Task queues are named after it. */
@Entity({ name: 'store' })
export class StoreEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'store_pkey' })
  id!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** `namespace/name` of the MCPRegistry that it belongs to; null when several share it. */
  @Column('text', { nullable: true })
  owner!: string | null;

  /** The uid of the cluster of that MCPRegistry (its namespace kube-system); null where there is none. */
  @Column('text', { nullable: true })
  cluster!: string | null;

  /** When a process of the owner last said that it uses this database. */
  @Column('timestamptz', { name: 'claimed_at', nullable: true })
  claimedAt!: Date | null;
}
