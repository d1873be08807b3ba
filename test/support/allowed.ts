import { isRefusal } from '#kubernetes/kubernetes-api.js';
import { eventually } from './eventually.js';

/**
 * Until the API server lets a user try what a role has just allowed, whatever comes of the try: it takes a role up a
 * moment after it has stored it.
 */
export async function allowed(attempt: () => Promise<unknown>): Promise<void> {
  await eventually(() =>
    attempt().then(
      () => true,
      (error) => (isRefusal(error, 'Forbidden') ? undefined : true),
    ),
  );
}
