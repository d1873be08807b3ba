import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announce.js';
import { Poller } from './api/poller.js';
import { session } from './session/session.js';
import { createStore, useStore } from './store.js';
import { words } from './words.js';

/** Counts the noticed changes of the catalogue. Components that show servers reload when it increases. */
export const catalogueChanges = createStore(0);

const PERIOD_MS = 30_000;
const PATH = 'v0.1/servers?limit=1';

/**
 * Checks every half minute whether the catalogue has changed. The server answers an unchanged one with a 304 from
 * memory.
 */
export function CatalogueWatch() {
  const caller = useStore(session);
  const isKnown = useRef(false);
  useEffect(() => {
    isKnown.current = false;
    const poller = new Poller({
      path: PATH,
      method: 'HEAD',
      everyMs: () => PERIOD_MS,
      onAnswer() {
        if (isKnown.current) {
          catalogueChanges.set(catalogueChanges.get() + 1);
          announce(words.connection.changed);
        }
        isKnown.current = true;
      },
      // After a 503, the next response counts as a change, because the catalogue has become available.
      onFault: ({ status }) => (isKnown.current ||= status === 503),
    });
    return () => poller.stop();
  }, [caller?.token]);
  return null;
}
