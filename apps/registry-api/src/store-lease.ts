import type { Logger } from 'pino';
import { RegistryError } from '#domain/registry-error.js';
import { releaseClaim, RENEW_CLAIM_MS, renewClaim } from '#persistence/claim-store.js';
import type { DatabaseAccess } from '#persistence/database-place.js';

interface Claim {
  readonly uid: string;
  readonly storeId: string;
}

/** Keeps the claim of this server on its database alive, and notices when the database is another one or someone else's. */
export class StoreLease implements AsyncDisposable {
  /** Rejects when the claim is lost: only a new start can migrate, claim and announce the database again. */
  readonly lost: Promise<never>;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly app: DatabaseAccess,
    private readonly claim: Claim,
    private readonly logger: Logger,
    renewEveryMs = RENEW_CLAIM_MS,
  ) {
    const { promise, reject } = Promise.withResolvers<never>();
    // It may be lost before anything waits for it.
    promise.catch(() => undefined);
    this.lost = promise;
    this.#timer = setInterval(() => void this.renew(reject), renewEveryMs).unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await releaseClaim(this.app, this.claim.uid).catch((err: unknown) => {
      this.logger.debug({ err }, 'cannot release the claim on the database');
    });
  }

  private async renew(reject: (error: Error) => void): Promise<void> {
    const isKept = await renewClaim(this.app, this.claim).catch((error: unknown) => {
      // A database that cannot be reached is reported elsewhere; one without our tables was put in the place of ours.
      if (!(error instanceof RegistryError && error.reason === 'DatabaseNotMigrated')) return true;
      return false;
    });
    if (isKept) return;
    const { database, host } = this.app;
    const message = `database ${database} at ${host} was replaced, or claimed by another MCPRegistry of this name`;
    reject(new RegistryError('DatabaseOwnedByAnother', message));
  }
}
