import type { RegistryRef } from '#domain/registry-ref.js';
import { SyncRefused } from '#domain/server-messages.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import { orAborted } from '#http/or-aborted.js';

/** Asks the workflow of a registry to sync one source, or all; resolves when the syncs have started. Throws `SyncRefused`. */
export type SyncNow = (
  registry: Pick<RegistryRef, 'namespace' | 'name'>,
  source: string | undefined,
  trigger?: SyncNowRequest['trigger'],
) => Promise<readonly StartedSync[]>;

/** An update waits for as long as no worker takes it; whoever asked over HTTP does not. */
const DEADLINE_MS = 10_000;

/** Starts syncs on demand. */
export class SyncTrigger {
  readonly #syncNow: SyncNow;

  constructor(syncNow: SyncNow) {
    this.#syncNow = syncNow;
  }

  /** Throws `TriggerAway`. */
  async start(...asked: Parameters<SyncNow>): Promise<readonly StartedSync[]> {
    try {
      return await orAborted(this.#syncNow(...asked), AbortSignal.timeout(DEADLINE_MS));
    } catch (error) {
      // What else goes wrong on the way there is not for clients.
      const said = error instanceof SyncRefused ? error.message : undefined;
      throw new TriggerAway(said ?? 'whoever keeps the sources in sync does not answer', { cause: error });
    }
  }
}

export class TriggerAway extends Error {
  constructor(why: string, options: ErrorOptions) {
    super(`no sync was started: ${why}; try again in a moment`, options);
    this.name = 'TriggerAway';
  }
}
