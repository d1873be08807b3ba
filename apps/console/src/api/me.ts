import { session } from '../session/session.js';
import { createStore, useStore } from '../store.js';
import { request } from './request.js';

/** Who the caller is, as `/v1/me` says. */
export interface Me {
  readonly subject: string;
  readonly provider: string;
  readonly roles: readonly string[];
}

/** The signed-in user as the server knows them; undefined without a sign-in. */
export const me = createStore<Me | undefined>(undefined);

/** Asks who the caller is after each sign-in. A token that is refused ends the session, by `request`. */
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
