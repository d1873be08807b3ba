import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';

export type ReadItem =
  /** `hash` is that of the entry in its original form in the file. Equal hashes mean equal entries. */
  | { readonly entry: CatalogueEntry; readonly hash: Buffer }
  /**
   * `offset` and `length` are the position of the entry in the file, in bytes. The length is 0 if the entry is too
   * large.
   */
  | { readonly quarantined: QuarantinedEntry; readonly offset: number; readonly length: number }
  /** The entry is already stored and was not parsed. */
  | { readonly known: true };
