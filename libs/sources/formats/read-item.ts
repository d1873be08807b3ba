import type { CatalogueEntry, QuarantinedEntry } from '#domain/catalogue-entry.js';

export type ReadItem =
  /** `hash` is of the entry as it stood in the file; equal hashes are equal entries. */
  | { readonly entry: CatalogueEntry; readonly hash: Buffer }
  /** `offset` and `length` are the place of the entry in the file, in bytes; the length is 0 for what is too large. */
  | { readonly quarantined: QuarantinedEntry; readonly offset: number; readonly length: number }
  /** It is stored already and was not even parsed. */
  | { readonly known: true };
