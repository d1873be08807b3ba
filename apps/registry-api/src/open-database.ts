import { retryForever } from '#concurrency/retry-forever.js';
import { RegistryError } from '#domain/registry-error.js';
import { claimStore } from '#persistence/claim-store.js';
import type { StoreClaimant } from '#persistence/claim-store.js';
import { detailOf } from '#persistence/database-fault.js';
import type { Database } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';

const BACKOFF = { firstMs: 500, longestMs: 10_000 };

interface Surroundings {
  readonly signal: AbortSignal;
  /** Called with the reason why the database cannot be used yet; called again only if the reason changes. */
  onFault(fault: RegistryError): void;
}

/**
 * Migrates the database and claims it for this registry. Retries until that succeeds, because every problem of a
 * database can be fixed while the server runs. Returns the id of the store; throws the abort reason when the signal
 * fires.
 */
export async function openDatabase(
  database: Database,
  registry: StoreClaimant,
  { signal, onFault }: Surroundings,
): Promise<string> {
  let reported: string | undefined;
  const openOnce = async () => {
    await migrate(database);
    return claimStore(database.app, registry);
  };
  const id = await retryForever(openOnce, {
    ...BACKOFF,
    signal,
    onFailure(error) {
      if (!(error instanceof RegistryError)) throw error;
      const detail = detailOf(error);
      if (detail !== reported) onFault(error);
      reported = detail;
    },
  });
  signal.throwIfAborted();
  return id as string;
}
