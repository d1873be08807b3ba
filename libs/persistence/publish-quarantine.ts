import type { Client } from 'pg';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { holdQuarantined } from './hold-quarantined.js';
import { inTransaction } from './in-transaction.js';
import { confirmSource, lockSource, notifyReaders } from './source-row.js';
import type { SourceTarget } from './source-row.js';

/**
 * Replaces the quarantine of a source by that of a revision that was rejected as a whole, so that users can see every
 * error. The entries stay as they are. Idempotent. Throws the same errors as {@link lockSource}.
 */
export async function publishQuarantine(
  client: Client,
  target: SourceTarget,
  quarantined: readonly QuarantinedEntry[],
): Promise<void> {
  await inTransaction(client, async () => {
    const sourceId = await lockSource(client, target);
    const count = await holdQuarantined(client, sourceId, true, quarantined);
    await confirmSource(client, sourceId, target);
    await client.query('UPDATE source SET quarantined_count = $2, quarantine_refused = true WHERE id = $1', [
      sourceId,
      count,
    ]);
    await notifyReaders(client, target.registry);
  });
}
