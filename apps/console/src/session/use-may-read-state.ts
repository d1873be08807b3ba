import { consoleInfo } from '../api/console.js';
import { useStore } from '../store.js';
import { session } from './session.js';

/** Returns whether the caller may read `/v1`, which requires a sign-in unless the registry is open to everybody. */
export function useMayReadState(): boolean {
  const current = useStore(session);
  const info = useStore(consoleInfo);
  return info?.mode === 'anonymous' || current !== undefined;
}
