import type { StoredContent } from './sync.js';

/** A sync that leaves nothing to serve is a success that somebody should look at; undefined when it leaves something. */
export function emptinessWarning({ served, hidden }: Pick<StoredContent, 'served' | 'hidden'>): string | undefined {
  if (served > 0) return undefined;
  return hidden > 0 ? `the filter leaves out all ${hidden} servers` : 'the source holds no servers';
}
