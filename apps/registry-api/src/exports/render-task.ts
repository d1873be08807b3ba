import type { MessagePort } from 'node:worker_threads';
import type { NoteName } from '#exports/omission.js';
import type { ExportOptions } from '#exports/export-options.js';

/** Input and results of the rendering thread: plain data that can be copied between threads. */

/** An export to be rendered. */
export interface RenderRequest {
  /** Id of the format. */
  readonly format: string;
  /** Patterns of names; every name if there are none. */
  readonly names: readonly string[];
  /** Whether only the names in `tagged` are rendered. */
  readonly isTagged: boolean;
  readonly withDeprecated: boolean;
  /** Whether entries to deny are sent as parts of the kind `denied`. */
  readonly denies: boolean;
  readonly options: Omit<ExportOptions, 'view' | 'denied'>;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** A part of the input. The thread acknowledges each one with an empty message, and only then is the next one sent. */
export type RenderPart =
  /** A page of the view, or of the entries to deny, as the list API serves it. */
  | { readonly kind: 'view' | 'denied'; readonly page: Uint8Array }
  | { readonly kind: 'tagged'; readonly names: readonly string[] }
  | { readonly kind: 'end' };

export interface RenderTask {
  readonly request: RenderRequest;
  /** Port from which the parts are received. */
  readonly parts: MessagePort;
}

export type RenderOutcome =
  | {
      readonly kind: 'rendered';
      readonly text: Uint8Array;
      /** The result of each entry, as a JSON array. */
      readonly results: Uint8Array;
      readonly omitted: number;
      /** The names of the entries that the file contains. */
      readonly exported: readonly string[];
      readonly notes: readonly NoteName[];
      readonly faults: RenderFaults;
    }
  /** The text failed the check of its own format. */
  | { readonly kind: 'broken'; readonly error: Error; readonly names: readonly string[]; readonly faults: RenderFaults }
  /** The requested export cannot be rendered for any caller, so the response is a 422. */
  | { readonly kind: 'refused'; readonly message: string };

/** Entries that could not be rendered because of an error in this server. */
export interface RenderFaults {
  readonly count: number;
  readonly first?: Error;
}
