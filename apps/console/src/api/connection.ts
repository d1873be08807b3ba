import { serverNow } from '../clock.js';
import { createStore } from '../store.js';

/** What is known of the way to the server. */
export interface Connection {
  /** Server time of the last answer, in milliseconds. */
  readonly lastAnswerMs: number;
  /** Whether requests since then failed. */
  readonly isSilent: boolean;
  /** `X-Registry-Stale`: since when the catalogue may be out of date. */
  readonly staleSinceMs?: number;
  /** Whether the catalogue as a whole is not available (503), for want of a source that was never synced. */
  readonly isPartial?: boolean;
}

export const connection = createStore<Connection>({ lastAnswerMs: serverNow(), isSilent: false });

/** A 503 says that something behind the server is away; the server itself answers, so it is no silence. */
export function noteAnswer(status: number): void {
  const isSilent = status === 502 || status === 504;
  const before = connection.get();
  connection.set({ ...before, isSilent, lastAnswerMs: isSilent ? before.lastAnswerMs : serverNow() });
}

/** Takes the status and the header `X-Registry-Stale` of an answer from the whole catalogue; null means that it is up to date. */
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
