import { session } from '../session/session.js';
import { createStore, useStore } from '../store.js';
import { request } from './request.js';

/** The identity of the caller, from `/v1/me`. */
export interface Me {
  readonly subject: string;
  readonly provider: string;
  readonly roles: readonly string[];
}

/** The signed-in user as the server sees them; undefined if nobody is signed in. */
export const me = createStore<Me | undefined>(undefined);

/** Fetches the identity of the caller after each sign-in. If the token is rejected, `request` ends the session. */
export function followCaller(): void {
  const ask = async () => {
    me.set(undefined);
    const asked = session.get();
    if (!asked) return;
    const answer = await request<Me>('v1/me').catch(() => undefined);
    if (session.get() === asked) me.set(answer?.body);
  };
  session.subscribe(() => void ask());
  void ask();
}

/** Whether the caller may start syncs. */
export const useMayWrite = (): boolean => useStore(me)?.roles.includes('manageEntries') ?? false;
