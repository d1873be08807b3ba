import { serverNow } from '../clock.js';
import { createStore } from '../store.js';

/** The state of the connection to the server. */
export interface Connection {
  /** Server time of the last response, in milliseconds. */
  readonly lastAnswerMs: number;
  /** Whether requests have failed since the last response. */
  readonly isSilent: boolean;
  /** Time since which the catalogue may be out of date, from `X-Registry-Stale`. */
  readonly staleSinceMs?: number;
  /** Whether the whole catalogue is unavailable (503), because a source has never been synced. */
  readonly isPartial?: boolean;
}

export const connection = createStore<Connection>({ lastAnswerMs: serverNow(), isSilent: false });

/**
 * Notes that the server responded. A 503 means that something behind the server is unavailable, but the server itself
 * responds. Only 502 and 504 count as silence.
 */
export function noteAnswer(status: number): void {
  const isSilent = status === 502 || status === 504;
  const before = connection.get();
  connection.set({ ...before, isSilent, lastAnswerMs: isSilent ? before.lastAnswerMs : serverNow() });
}

/**
 * Updates the state from a response for the whole catalogue: its status and its header `X-Registry-Stale`, where null
 * means up to date.
 */
export function noteCatalogue(status: number, stale: string | null): void {
  const { lastAnswerMs, isSilent } = connection.get();
  const staleSinceMs = Date.parse(stale ?? '');
  const isPartial = status === 503;
  connection.set({ lastAnswerMs, isSilent, isPartial, ...(Number.isFinite(staleSinceMs) && { staleSinceMs }) });
}

export function noteSilence(): void {
  const before = connection.get();
  if (!before.isSilent) connection.set({ ...before, isSilent: true });
}
