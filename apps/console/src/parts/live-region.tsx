import { announcement } from '../announce.js';
import { useStore } from '../store.js';

/** Reads results to screen readers, politely. */
export const LiveRegion = () => (
  <div class="visually-hidden" role="status" aria-live="polite">
    {useStore(announcement)}
  </div>
);
