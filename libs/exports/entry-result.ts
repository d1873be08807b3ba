import type { NoteName, OmissionReason } from './omission.js';

/** The result of exporting one way of an entry, which is a package or a remote. */
export interface WayResult {
  /** Path of the way in the entry, such as `packages[0]`. */
  readonly way: string;
  readonly status: 'exported' | 'omitted';
  readonly reason?: OmissionReason;
  readonly detail?: string;
  readonly path?: string;
  readonly rules?: number;
  readonly notes?: readonly NoteName[];
  /** The names of the entries that `same-command-as` and `denied` refer to. */
  readonly names?: readonly string[];
}

/** The result of exporting one entry. An entry counts as exported if any part of it is in the file. */
export interface EntryResult {
  readonly name: string;
  readonly version: string;
  readonly shortName?: string;
  readonly status: 'exported' | 'omitted';
  readonly reason?: OmissionReason;
  readonly detail?: string;
  readonly notes?: readonly NoteName[];
  readonly ways: readonly WayResult[];
}
