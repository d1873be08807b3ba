import { retryForever } from '#concurrency/retry-forever.js';
import type { Client } from '#persistence/client.js';
import type { Logger } from 'pino';
import { CATALOGUE_CHANNEL } from '#persistence/catalogue-channel.js';
import { newClient } from '#persistence/database-client.js';
import { databaseFault, detailOf } from '#persistence/database-fault.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { describeOutage } from '../describe-outage.js';
import { withheldIn } from './live-catalogue.js';
import type { LiveCatalogue, RegistrySnapshots } from './live-catalogue.js';
import { isUntidy, loadRegistries } from './load-registries.js';
import type { ServedUids } from '../served-registry.js';
import { Pacer } from '#read-model/pacer.js';

/** Poll interval, and thus the maximum delay of a change whose notification was lost with its connection. */
const POLL_MS = 30_000;
const BACKOFF = { firstMs: 250, longestMs: 10_000 };

export interface FollowerOptions {
  /** Maximum bytes of documents in memory. Further documents are read from the database. */
  readonly budget: number;
  /**
   * Returns the uids of the served registries. Rows of a registry with another uid are not loaded. Called at each load.
   */
  served?(): ServedUids;
}

/**
 * Keeps a catalogue in sync with the database over a dedicated connection, which listens for changes and loads them.
 * While the database is unavailable, the catalogue stays as it is.
 */
export class CatalogueFollower {
  #fault: string | undefined = 'not connected to the database yet';
  #running: Promise<void> | undefined;
  #indexing = Promise.resolve();
  #withheld = 0;
  #readOnlySince: Date | undefined;
  readonly #stopping = new AbortController();
  readonly #database: DatabaseAccess;
  readonly #catalogue: LiveCatalogue;
  readonly #budget: number;
  readonly #served: (() => ServedUids) | undefined;
  readonly #logger: Logger;

  constructor(database: DatabaseAccess, catalogue: LiveCatalogue, { budget, served }: FollowerOptions, logger: Logger) {
    this.#database = database;
    this.#catalogue = catalogue;
    this.#budget = budget;
    this.#served = served;
    this.#logger = logger;
  }

  /**
   * Why the catalogue may be behind the database, in words that every client may see; undefined while the catalogue
   * follows the database.
   */
  get fault(): string | undefined {
    return this.#fault;
  }

  /**
   * Time at which the database became read-only, so that nothing new is stored; undefined while it accepts writes or
   * its state is unknown.
   */
  get readOnlySince(): Date | undefined {
    return this.#readOnlySince;
  }

  start(): void {
    this.#running ??= this.#followForever();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#running, this.#indexing]);
  }

  async #followForever(): Promise<void> {
    let logged: string | undefined;
    const follow = (reset: () => void) => {
      const onLoaded = () => {
        logged = undefined;
        reset();
      };
      return this.#follow(onLoaded);
    };
    await retryForever(follow, {
      ...BACKOFF,
      signal: this.#stopping.signal,
      onFailure: (error) => {
        const fault = databaseFault(error, this.#database, 'read');
        const detail = detailOf(fault);
        // Log each error only once, however long the outage lasts.
        if (detail !== logged)
          this.#logger.warn({ fault: detail }, 'database unavailable; serving the last known catalogue');
        logged = detail;
        this.#fault = describeOutage(fault.reason);
        this.#catalogue.markStale();
      },
    });
  }

  /** Follows the database until stopped; throws if the connection is lost. */
  async #follow(onLoaded: () => void): Promise<void> {
    const client = newClient(this.#database, {
      application_name: 'mcp-registry-api',
      mayBeReadOnly: true,
    });
    const doorbell = new Doorbell();
    const hungUp = Promise.withResolvers<void>();
    const hangUp = () => {
      doorbell.ring();
      hungUp.resolve();
      client.end().catch(() => undefined);
    };
    client.on('notification', () => doorbell.ring());
    client.on('error', (error) => doorbell.fail(error));
    client.on('end', () => doorbell.fail(new Error('the connection was closed')));
    this.#stopping.signal.addEventListener('abort', hangUp);
    try {
      // node-pg never settles the promise of `connect` if `end` is called before it is connected. In that case the next
      // query is rejected.
      await Promise.race([client.connect(), hungUp.promise]);
      let isListening = false;
      while (!this.#stopping.signal.aborted) {
        const isStandby = await this.#lookForWrites(client);
        // Listen before reading, so that no change is missed in between. A standby sends no notifications, so it is
        // polled until it is promoted.
        if (!isListening && !isStandby) await client.query(`LISTEN ${CATALOGUE_CHANNEL}`);
        isListening = !isStandby;
        await this.#refresh(client, { tidy: false });
        onLoaded();
        // Apply changes first, and compact memory only when there is nothing else to do.
        if (!doorbell.isRinging && this.#isUntidy()) await this.#refresh(client, { tidy: true });
        await doorbell.rung(POLL_MS);
      }
    } finally {
      this.#stopping.signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  }

  /**
   * Checks whether the database accepts writes, and records since when it does not; returns whether it is a standby.
   */
  async #lookForWrites(client: Client): Promise<boolean> {
    const { rows } = await client.query<{ isStandby: boolean; isReadOnly: boolean }>(
      `SELECT pg_is_in_recovery() AS "isStandby", current_setting('default_transaction_read_only') = 'on' AS "isReadOnly"`,
    );
    const { isStandby, isReadOnly } = rows[0] as { isStandby: boolean; isReadOnly: boolean };
    if (!isStandby && !isReadOnly) {
      if (this.#readOnlySince) this.#logger.info('the database accepts writes again');
      this.#readOnlySince = undefined;
    } else if (!this.#readOnlySince) {
      this.#logger.warn({ standby: isStandby }, 'database is read-only; serving the last known catalogue');
      this.#readOnlySince = new Date();
    }
    return isStandby;
  }

  async #refresh(client: Client, { tidy }: { tidy: boolean }): Promise<void> {
    const before = this.#catalogue.snapshots ?? new Map();
    const startedAt = performance.now();
    const snapshots = await loadRegistries(client, before, {
      bodies: this.#catalogue.bodies,
      budget: this.#budget,
      served: this.#served?.(),
      tidy,
    });
    this.#catalogue.replace(snapshots);
    this.#reportWithheld(snapshots);
    this.#index(snapshots);
    const tookMs = Math.round(performance.now() - startedAt);
    if (this.#fault) this.#logger.info({ registries: snapshots.size, tookMs }, 'catalogue follows the database');
    else this.#logger.debug({ tookMs, tidy }, 'catalogue was read again');
    this.#fault = undefined;
  }

  /** Logs how many entries exceed the memory budget, whenever that number changes. */
  #reportWithheld(snapshots: RegistrySnapshots): void {
    const entries = withheldIn([...snapshots.values()]);
    if (entries > 0 && entries !== this.#withheld) {
      this.#logger.warn({ entries, budgetBytes: this.#budget }, 'entries exceed the memory budget and are not served');
    }
    this.#withheld = entries;
  }

  /**
   * Builds the word indexes in the background. Searches are correct without them, so no change has to wait for them.
   */
  #index(snapshots: RegistrySnapshots): void {
    const sources = Array.from(snapshots.values()).flatMap((registry) => registry.sources);
    const segments = sources.flatMap(({ layout }) => layout.segments);
    const indexAll = async () => {
      const pacer = Pacer.idle();
      for (const segment of segments) if (!this.#stopping.signal.aborted) await segment.index(pacer);
    };
    this.#indexing = this.#indexing
      .then(indexAll)
      .catch((err: unknown) => this.#logger.warn({ err }, 'search index skipped: searches scan all entries'));
  }

  #isUntidy(): boolean {
    return Array.from(this.#catalogue.snapshots?.values() ?? []).some(({ sources }) => sources.some(isUntidy));
  }
}

/** Wakes one waiter. Rings without a waiter are coalesced into one. */
class Doorbell {
  #next = Promise.withResolvers<void>();
  #failure: Error | undefined;
  #isRinging = false;

  /** Whether it has rung since the last wait. */
  get isRinging(): boolean {
    return this.#isRinging;
  }

  ring(): void {
    this.#isRinging = true;
    this.#next.resolve();
  }

  /** Makes every wait fail with this error from now on. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.ring();
  }

  /** Waits for the next ring, at most `timeoutMs`. */
  async rung(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.ring(), timeoutMs);
    await this.#next.promise;
    clearTimeout(timer);
    this.#next = Promise.withResolvers<void>();
    this.#isRinging = false;
    if (this.#failure) throw this.#failure;
  }
}
