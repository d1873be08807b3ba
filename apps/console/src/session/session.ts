import { createStore } from '../store.js';

/** The session of the caller. It is kept in memory only, so a reload ends it. */
export interface Session {
  readonly token: string;
  /** Milliseconds since the epoch by this machine's clock; absent if the provider did not send an expiry. */
  readonly expiresAtMs?: number;
}

export const session = createStore<Session | undefined>(undefined);

/** A message for people that says why the last sign-in failed or the session ended. */
export const sessionFault = createStore<string | undefined>(undefined);

export function signOut(reason?: string): void {
  session.set(undefined);
  sessionFault.set(reason);
}
