import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * The identity of this database. There is exactly one row, created by the first migration. The names of task queues are
 * derived from it.
 */
@Entity({ name: 'store' })
export class StoreEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'store_pkey' })
  id!: string;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** `namespace/name` of the MCPRegistry that the database belongs to. Null if several registries share it. */
  @Column('text', { nullable: true })
  owner!: string | null;

  /**
   * Id of the cluster of that MCPRegistry: the uid of its namespace kube-system, or the id that the operator uses
   * instead.
   */
  @Column('text', { nullable: true })
  cluster!: string | null;

  /** The uid of the MCPRegistry. A resource with the same name in another cluster has another uid. */
  @Column('uuid', { name: 'claimed_by', nullable: true })
  claimedBy!: string | null;

  /** The time at which the server of that resource last renewed its claim on this database. */
  @Column('timestamptz', { name: 'claimed_at', nullable: true })
  claimedAt!: Date | null;
}
