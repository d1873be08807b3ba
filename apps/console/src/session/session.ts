import { createStore } from '../store.js';

/** How the caller is known. It lives in memory only: a reload forgets it. */
export interface Session {
  readonly token: string;
  /** Milliseconds since the epoch by this machine's clock; absent where the provider did not say. */
  readonly expiresAtMs?: number;
}

export const session = createStore<Session | undefined>(undefined);

/** Why the last sign-in failed or ended, for people. */
export const sessionFault = createStore<string | undefined>(undefined);

export function signOut(reason?: string): void {
  session.set(undefined);
  sessionFault.set(reason);
}
