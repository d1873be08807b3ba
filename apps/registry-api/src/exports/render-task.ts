import type { MessagePort } from 'node:worker_threads';
import type { NoteName } from '#exports/omission.js';
import type { ExportOptions } from '#exports/export-options.js';

/** What the thread of renderings is given and what it answers: plain data, which can be copied from thread to thread. */

/** One export to be rendered. */
export interface RenderRequest {
  /** The id of the format. */
  readonly format: string;
  /** Patterns of names; none: every name. */
  readonly names: readonly string[];
  /** Only the names that come as `tagged`. */
  readonly isTagged: boolean;
  readonly withDeprecated: boolean;
  /** Whether entries to be denied come as `denied`. */
  readonly denies: boolean;
  readonly options: Omit<ExportOptions, 'view' | 'denied'>;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** A part of what is rendered. Each is acknowledged with an empty message, and the next is sent then. */
export type RenderPart =
  /** A page of the view, or of what is denied, as the list API serves it. */
  | { readonly kind: 'view' | 'denied'; readonly page: Uint8Array }
  | { readonly kind: 'tagged'; readonly names: readonly string[] }
  | { readonly kind: 'end' };

export interface RenderTask {
  readonly request: RenderRequest;
  /** Where the parts come from. */
  readonly parts: MessagePort;
}

export type RenderOutcome =
  | {
      readonly kind: 'rendered';
      readonly text: Uint8Array;
      /** What became of each entry, as a JSON array. */
      readonly results: Uint8Array;
      readonly omitted: number;
      /** The names of entries that have a text in the file. */
      readonly exported: readonly string[];
      readonly notes: readonly NoteName[];
      readonly faults: RenderFaults;
    }
  /** The text fails the check of its own format. */
  | { readonly kind: 'broken'; readonly error: Error; readonly names: readonly string[]; readonly faults: RenderFaults }
  /** The requested export has no text for any caller: the answer is 422. */
  | { readonly kind: 'refused'; readonly message: string };

/** Entries that could not be rendered because of a fault of this server. */
export interface RenderFaults {
  readonly count: number;
  readonly first?: Error;
}
