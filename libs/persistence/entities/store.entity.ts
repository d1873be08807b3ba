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

  /** The uid of that MCPRegistry: a resource of the same name in another cluster has another one. */
  @Column('uuid', { name: 'claimed_by', nullable: true })
  claimedBy!: string | null;

  /** When a server of that resource last said that it uses this database. */
  @Column('timestamptz', { name: 'claimed_at', nullable: true })
  claimedAt!: Date | null;
}
