import { setTimeout as delay } from 'node:timers/promises';
import { RegistryError } from '#domain/registry-error.js';
import { claimStore } from '#persistence/claim-store.js';
import type { StoreClaimant } from '#persistence/claim-store.js';
import type { Database } from '#persistence/database-place.js';
import { migrate } from '#persistence/migrate.js';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;

interface Surroundings {
  readonly signal: AbortSignal;
  /** Receives the reason why the database cannot be used yet; called again only when the reason changes. */
  onFault(fault: RegistryError): void;
}

/**
 * Migrates the database and makes it this registry's, and tries again until that works: whatever keeps a database away
 * can be put right while the server runs. Returns the id of the store; rejects only when the signal fires.
 */
export async function openDatabase(
  database: Database,
  registry: StoreClaimant,
  { signal, onFault }: Surroundings,
): Promise<string> {
  let told: string | undefined;
  for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
    try {
      signal.throwIfAborted();
      await migrate(database);
      return await claimStore(database.app, registry);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RegistryError)) throw error;
      if (error.message !== told) onFault(error);
      told = error.message;
      // Many pods lose one database at the same moment and should not all come back at the same moment.
      await delay(retryMs * (0.5 + Math.random()), undefined, { signal });
    }
  }
}
