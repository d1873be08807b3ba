import { createHash } from 'node:crypto';
import { compareCodePoints } from './code-point-order.js';
import { foldCase } from './fold-case.js';
import { toServerResponse, updatedAtMs } from './prepared-entry.js';
import type { PreparedEntry, PreparedServer, StoredEntry } from './prepared-entry.js';
import { SlabWriter } from './slab-writer.js';
import type { Placed } from './slab-writer.js';
import { compareVersions, newestOf } from './version-order.js';

/** What one source serves: its servers by name in text order, and a digest of every byte of them. */
export interface PreparedSource {
  readonly servers: readonly PreparedServer[];
  readonly digest: string;
}

const EMPTY_SLAB = Buffer.alloc(0);

/** Prepares a source from its rows, which have to come in text order of name and version. */
export class SourceBuilder {
  readonly #servers: PreparedServer[] = [];
  readonly #digest = createHash('sha256');
  readonly #slabs = new SlabWriter((slab) => this.#digest.update(slab));
  /** The versions of the name that is being read; which is the latest shows only when all are here. */
  #pending: StoredEntry[] = [];

  add(rows: readonly StoredEntry[]): void {
    for (const row of rows) {
      if (this.#pending[0] && this.#pending[0].name !== row.name) this.#completeServer();
      this.#pending.push(row);
    }
  }

  finish(): PreparedSource {
    this.#completeServer();
    this.#slabs.flush();
    return { servers: this.#servers, digest: this.#digest.digest('base64url') };
  }

  #completeServer(): void {
    const rows = this.#pending;
    const live = rows.filter(({ deletedAtMs }) => deletedAtMs === null);
    const latestRow = newestOf(live.length > 0 ? live : rows);
    if (!latestRow) return;
    const versions = rows.map((row) => this.#prepare(row, row === latestRow));
    const latest = versions[rows.indexOf(latestRow)] as PreparedEntry;
    const newestFirst = versions.length === 1 ? versions : versions.toSorted(byPublicationThenPrecedence);
    this.#servers.push({ name: latestRow.name, versions, newestFirst, latest });
    this.#pending = [];
  }

  #prepare(row: StoredEntry, latest: boolean): PreparedEntry {
    const entry: PreparedEntry & Placed = {
      name: row.name,
      version: row.version,
      latest,
      deleted: row.deletedAtMs !== null,
      publishedAtMs: row.publishedAtMs,
      updatedAtMs: updatedAtMs(row),
      searchText: foldCase(`${row.name}\0${row.title ?? ''}\0${row.description}`),
      slab: EMPTY_SLAB,
      start: 0,
      end: 0,
    };
    this.#slabs.write(toServerResponse(row, latest), entry);
    return entry;
  }
}

function byPublicationThenPrecedence(a: PreparedEntry, b: PreparedEntry): number {
  return (
    b.publishedAtMs - a.publishedAtMs ||
    compareVersions(b.version, a.version) ||
    compareCodePoints(b.version, a.version)
  );
}
