import { consoleInfo } from '../api/console.js';
import { useStore } from '../store.js';
import { session } from './session.js';

/** Returns whether `/v1` can be asked: it wants a sign-in unless the registry is open to everybody. */
export function useMayReadState(): boolean {
  const current = useStore(session);
  const info = useStore(consoleInfo);
  return info?.mode === 'anonymous' || current !== undefined;
}
