import type { StoredContent } from './sync.js';

/** A sync that leaves nothing to serve is a success that somebody should look at; undefined when it leaves something. */
export function emptinessWarning({ served, hidden }: Pick<StoredContent, 'served' | 'hidden'>): string | undefined {
  if (served > 0) return undefined;
  return hidden > 0 ? `${BY_FILTER} ${hidden} servers` : 'the source holds no servers';
}

const BY_FILTER = 'the filter leaves out all';

/** Whether it is the filter that leaves nothing. */
export function isFilterWarning(message: string): boolean {
  return message.includes(BY_FILTER);
}
