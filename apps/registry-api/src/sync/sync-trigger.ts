import type { RegistryRef } from '#domain/registry-ref.js';
import { SyncRefused } from '#domain/server-messages.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import { orAborted } from '#concurrency/or-aborted.js';

type NamedRegistry = Pick<RegistryRef, 'namespace' | 'name'>;

/**
 * Asks the workflow of a registry to sync one source, or all of them. Resolves when the syncs have started. Throws
 * `SyncRefused`.
 */
export type SyncNow = (
  registry: NamedRegistry,
  source: string | undefined,
  trigger?: SyncNowRequest['trigger'],
) => Promise<readonly StartedSync[]>;

/** Confirms the removals that the shrink guard has blocked, for one source or for all. */
export type ConfirmHeld = (registry: NamedRegistry, source: string | undefined) => Promise<void>;

/**
 * Deadline of a workflow update. Without it, the update would wait until a worker takes it, which is longer than an
 * HTTP client waits.
 */
const DEADLINE_MS = 10_000;

/** Starts syncs on demand. */
export class SyncTrigger {
  readonly #syncNow: SyncNow;
  readonly #confirmHeld: ConfirmHeld | undefined;

  constructor(syncNow: SyncNow, confirmHeld?: ConfirmHeld) {
    this.#syncNow = syncNow;
    this.#confirmHeld = confirmHeld;
  }

  /**
   * Starts a sync because of an event or, without `trigger`, on behalf of a user, who thereby confirms removals that
   * the shrink guard has blocked. Throws `TriggerAway`.
   */
  async start(...[registry, source, trigger = 'manual']: Parameters<SyncNow>): Promise<readonly StartedSync[]> {
    try {
      if (trigger === 'manual') await this.#confirmHeld?.(registry, source);
      return await orAborted(this.#syncNow(registry, source, trigger), AbortSignal.timeout(DEADLINE_MS));
    } catch (error) {
      // Other errors are not shown to clients.
      const stated = error instanceof SyncRefused ? error.message : undefined;
      throw new TriggerAway(stated ?? 'the sync workflow is unreachable', { cause: error });
    }
  }
}

export class TriggerAway extends Error {
  constructor(why: string, options: ErrorOptions) {
    super(`no sync was started: ${why}; retry in a moment`, options);
    this.name = 'TriggerAway';
  }
}
