import type { Logger } from 'pino';
import { releaseRows, RENEW_CLAIM_MS, renewRows } from '#persistence/claim-store.js';
import type { DatabaseAccess } from '#persistence/database-place.js';

/**
 * Records every 30 s that this instance serves its registries, so that other instances on the same database leave the
 * rows of these names alone. On disposal the claims are released, so others can take the rows over at once; after a
 * crash, they can once the claims have lapsed.
 */
export class RowLeases implements AsyncDisposable {
  readonly #timer: NodeJS.Timeout;
  #running = Promise.resolve();

  /** `uids` returns the uids of the registries that are served now. */
  constructor(
    private readonly app: DatabaseAccess,
    private readonly uids: () => readonly string[],
    private readonly logger: Logger,
    everyMs = RENEW_CLAIM_MS,
  ) {
    this.#timer = setInterval(() => this.#run(renewRows), everyMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#run(releaseRows);
    await this.#running;
  }

  /**
   * Runs changes one after the other, because a renewal that is under way must not undo the release. Failures are only
   * logged for debugging: an unreachable database is reported elsewhere.
   */
  #run(change: typeof renewRows): void {
    this.#running = this.#running
      .then(() => change(this.app, this.uids()))
      .catch((err: unknown) => this.logger.debug({ err }, 'cannot renew the claims on the rows of registries'));
  }
}
