import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { ClientConfig } from 'pg';
import { CATALOGUE_CHANNEL } from '#persistence/catalogue-channel.js';

export interface EntryRow {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly facets?: readonly string[];
  readonly status?: 'active' | 'deprecated';
  readonly hiddenBy?: string;
  readonly publishedAt?: string;
  readonly updatedAt?: string;
  readonly deletedAt?: string;
  /** The JSON document. If absent, it is generated from the other columns. */
  readonly serverJson?: string;
}

/** Writes a catalogue to the database as a sync would leave it, with plain SQL. */
export class CatalogueRows {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async connect(app: ClientConfig): Promise<CatalogueRows> {
    const client = new Client(app);
    await client.connect();
    return new CatalogueRows(client);
  }

  async end(): Promise<void> {
    await this.#client.end();
  }

  async query(sql: string, values: unknown[] = []): Promise<void> {
    await this.#client.query(sql, values);
  }

  async read(sql: string): Promise<readonly unknown[]> {
    return (await this.#client.query(sql)).rows;
  }

  async addRegistry(namespace: string, registry: string): Promise<void> {
    await this.query('INSERT INTO registry (namespace, name, uid) VALUES ($1, $2, $3)', [
      namespace,
      registry,
      randomUUID(),
    ]);
  }

  async addSource(namespace: string, registry: string, name: string, position = 0, type = 'git'): Promise<void> {
    await this.query(
      `INSERT INTO source (namespace, registry, name, position, type, format, address)
       VALUES ($1, $2, $3, $4, $5, 'toolhive', 'https://example.com/repo.git')`,
      [namespace, registry, name, position, type],
    );
  }

  /** Replaces the entries of a source in one transaction, and sends the notification. */
  async publish(namespace: string, registry: string, source: string, entries: readonly EntryRow[]): Promise<void> {
    const place = [namespace, registry, source];
    const sourceId = `(SELECT id FROM source WHERE namespace = $1 AND registry = $2 AND name = $3)`;
    await this.query('BEGIN');
    await this.query(`DELETE FROM entry WHERE source_id = ${sourceId}`, place);
    for (const entry of entries) {
      await this.query(
        `INSERT INTO entry (source_id, name, version, key, hash, server_json, title, description, status, hidden_by,
                            published_at, updated_at, status_changed_at, deleted_at, tags, facets)
         VALUES (${sourceId}, $4, $5, $4, '', $6, $7, $8, $9, $10, $11, $12::timestamptz,
                 coalesce($13::timestamptz, $12::timestamptz), $13::timestamptz, $14, $15)`,
        [...place, ...toColumns(entry)],
      );
    }
    await this.query(
      'UPDATE source SET generation = generation + 1, synced_at = now() WHERE namespace = $1 AND registry = $2 AND name = $3',
      place,
    );
    await this.notify(namespace, registry);
    await this.query('COMMIT');
  }

  async notify(namespace: string, registry: string): Promise<void> {
    await this.query('SELECT pg_notify($1, $2)', [CATALOGUE_CHANNEL, `${namespace}/${registry}`]);
  }
}

function toColumns(entry: EntryRow): unknown[] {
  const { name, version, title, description = `About ${name}` } = entry;
  const publishedAt = entry.publishedAt ?? '2026-01-01T00:00:00Z';
  return [
    name,
    version,
    entry.serverJson ?? JSON.stringify({ name, description, version, ...(title && { title }) }),
    title ?? null,
    description,
    entry.status ?? 'active',
    entry.hiddenBy ?? null,
    publishedAt,
    entry.updatedAt ?? publishedAt,
    entry.deletedAt ?? null,
    entry.tags ?? [],
    entry.facets ?? [],
  ];
}
