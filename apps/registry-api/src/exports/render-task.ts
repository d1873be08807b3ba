import type { MessagePort } from 'node:worker_threads';
import type { NoteName } from '#exports/omission.js';
import type { ExportOptions } from '#exports/export-options.js';
import type { Cursor } from '#read-model/cursor.js';

/** Input and results of the rendering thread: plain data that can be copied between threads. */

/** An export to be rendered. */
export interface RenderRequest {
  /** Id of the format. */
  readonly format: string;
  /** Patterns of names; every name if there are none. */
  readonly names: readonly string[];
  /** Number of lists in `denied`; undefined if no deny rules were requested. */
  readonly deniedLists?: number;
  readonly options: Omit<ExportOptions, 'view' | 'denied' | 'tooLarge' | 'maxLength'>;
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Maximum size of an entry of the export, and of all of them, in bytes of memory. */
  readonly maxEntrySize: number;
  readonly maxTotalSize: number;
}

/** A list of the input: the view, its entries that the parameters `tag` and `deprecated` select, or a list to deny. */
export type RenderList = 'view' | 'selected' | { readonly denied: number };

/** A request of the thread for a part of a list. */
export type PartRequest =
  | { readonly kind: 'names'; readonly list: RenderList; readonly from: number }
  | { readonly kind: 'page'; readonly list: RenderList; readonly after: Cursor['after'] | undefined };

/** A response to a request. If the part could not be read, `kind` is `failed`, and the caller knows the error. */
export type RenderPart =
  | { readonly kind: 'names'; readonly names: readonly string[]; readonly isLast: boolean }
  /** A page as the list API serves it. */
  | { readonly kind: 'page'; readonly page: Uint8Array<ArrayBuffer>; readonly next: Cursor['after'] | undefined }
  | { readonly kind: 'failed' };

export interface RenderTask {
  readonly request: RenderRequest;
  /** Port for requests and their responses. */
  readonly parts: MessagePort;
  /** A counter in shared memory, which is increased and notified after each response. */
  readonly responses: Int32Array;
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
