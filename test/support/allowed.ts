import { isRefusal } from '#kubernetes/kubernetes-api.js';
import { eventually } from './eventually.js';

/**
 * Waits until the API server applies a new role, which happens a moment after it has stored the role. The attempt must
 * no longer be forbidden; any other result counts.
 */
export async function allowed(attempt: () => Promise<unknown>): Promise<void> {
  await eventually(() =>
    attempt().then(
      () => true,
      (error) => (isRefusal(error, 'Forbidden') ? undefined : true),
    ),
  );
}
