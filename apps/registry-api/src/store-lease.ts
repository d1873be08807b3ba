import type { Logger } from 'pino';
import { RegistryError } from '#domain/registry-error.js';
import { releaseClaim, RENEW_CLAIM_MS, renewClaim } from '#persistence/claim-store.js';
import type { DatabaseAccess } from '#persistence/database-place.js';

interface Claim {
  readonly uid: string;
  readonly storeId: string;
}

/**
 * Renews this server's claim on its database, and detects when the database has been replaced or claimed by another
 * server.
 */
export class StoreLease implements AsyncDisposable {
  /** Rejects when the claim is lost. Only a restart can migrate, claim and announce the database again. */
  readonly lost: Promise<never>;
  readonly #timer: NodeJS.Timeout;
  #renewing = Promise.resolve();

  constructor(
    private readonly app: DatabaseAccess,
    private readonly claim: Claim,
    private readonly logger: Logger,
    renewEveryMs = RENEW_CLAIM_MS,
  ) {
    const { promise, reject } = Promise.withResolvers<never>();
    // The claim may be lost before anything awaits the promise.
    promise.catch(() => undefined);
    this.lost = promise;
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.renew(reject));
    }, renewEveryMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    // Wait for a renewal that is under way, because it would undo the release.
    await this.#renewing;
    await releaseClaim(this.app, this.claim.uid).catch((err: unknown) => {
      this.logger.debug({ err }, 'cannot release the claim on the database');
    });
  }

  private async renew(reject: (error: Error) => void): Promise<void> {
    const isKept = await renewClaim(this.app, this.claim).catch((error: unknown) => {
      // An unreachable database is reported elsewhere. A database without our tables has replaced ours.
      if (!(error instanceof RegistryError && error.reason === 'DatabaseNotMigrated')) return true;
      return false;
    });
    if (isKept) return;
    const { database, host } = this.app;
    const message = `database ${database} at ${host} was replaced, or claimed by another MCPRegistry of this name`;
    reject(new RegistryError('DatabaseOwnedByAnother', message));
  }
}
