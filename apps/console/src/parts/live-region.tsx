import { announcement } from '../announce.js';
import { useStore } from '../store.js';

/** A polite live region that announces results to screen readers. */
export const LiveRegion = () => (
  <div class="visually-hidden" role="status" aria-live="polite">
    {useStore(announcement)}
  </div>
);
