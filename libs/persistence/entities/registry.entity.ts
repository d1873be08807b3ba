import { Column, Entity, PrimaryColumn } from 'typeorm';

/** An MCPRegistry that this store serves. */
@Entity({ name: 'registry' })
export class RegistryEntity {
  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'registry_pkey' })
  namespace!: string;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'registry_pkey' })
  name!: string;

  /** The uid of the resource that last claimed this name. Another uid means another resource. */
  @Column('uuid')
  uid!: string;

  /**
   * Time at which a standalone instance last recorded that it serves the registry from these rows; null if the claim is
   * the one of the store.
   */
  @Column('timestamptz', { name: 'claimed_at', nullable: true })
  claimedAt!: Date | null;

  @Column('text', { name: 'display_name', nullable: true })
  displayName!: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  @Column('timestamptz', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
