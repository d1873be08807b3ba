import { useEffect, useRef } from 'preact/hooks';
import { announce } from './announce.js';
import { Poller } from './api/poller.js';
import { session } from './session/session.js';
import { createStore, useStore } from './store.js';
import { words } from './words.js';

/** Counts the changes of the catalogue that were noticed: what shows servers loads again when it moves. */
export const catalogueChanges = createStore(0);

const PERIOD_MS = 30_000;
const PATH = 'v0.1/servers?limit=1';

/** Asks every half minute whether the catalogue is still what it was, which a 304 from memory says. */
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
      // The next answer is then a change: the catalogue has become whole.
      onFault: ({ status }) => (isKnown.current ||= status === 503),
    });
    return () => poller.stop();
  }, [caller?.token]);
  return null;
}
