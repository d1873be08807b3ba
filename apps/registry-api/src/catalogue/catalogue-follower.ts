import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '#persistence/client.js';
import type { Logger } from 'pino';
import { CATALOGUE_CHANNEL } from '#persistence/catalogue-channel.js';
import { newClient } from '#persistence/database-client.js';
import { databaseFault } from '#persistence/database-fault.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { withheldIn } from './live-catalogue.js';
import type { LiveCatalogue, RegistrySnapshots } from './live-catalogue.js';
import { isUntidy, loadRegistries } from './load-registries.js';
import { Pacer } from '#read-model/pacer.js';

/** A notification can be lost with the connection that carried it; this is how late a change can be seen then. */
const POLL_MS = 30_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/**
 * Keeps a catalogue equal to the database, over one connection of its own that listens and loads. While the database is
 * away the catalogue stays as it is.
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
  readonly #logger: Logger;

  /** `budget`: bytes that documents may take; the others are answered from the database. */
  constructor(database: DatabaseAccess, catalogue: LiveCatalogue, budget: number, logger: Logger) {
    this.#database = database;
    this.#catalogue = catalogue;
    this.#budget = budget;
    this.#logger = logger;
  }

  /** Why the catalogue may be behind the database; undefined while it is followed. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Since when the database takes no writes, so that nothing new is stored; undefined while it does, and while that is unknown. */
  get readOnlySince(): Date | undefined {
    return this.#readOnlySince;
  }

  start(): void {
    this.#running ??= this.#followForEver();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#running, this.#indexing]);
  }

  async #followForEver(): Promise<void> {
    const { signal } = this.#stopping;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted) {
      try {
        await this.#follow(() => (retryMs = FIRST_RETRY_MS));
      } catch (error) {
        if (signal.aborted) return;
        const { reason, message } = databaseFault(error, this.#database, 'read');
        const fault = `${reason}: ${message}`;
        // Once per fault: an outage of an hour is one line, not one for each try.
        if (fault !== this.#fault) this.#logger.warn({ fault }, 'database is away; the catalogue stays as it is');
        this.#fault = fault;
        this.#catalogue.markStale();
        // Many pods lose one database at the same moment and should not all come back at the same moment.
        await delay(retryMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
      }
    }
  }

  /** Returns when stopped; throws when the connection is lost. */
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
      // node-pg never answers to a connect that is ended half-way; the next query is refused then.
      await Promise.race([client.connect(), hungUp.promise]);
      let isListening = false;
      while (!this.#stopping.signal.aborted) {
        const isStandby = await this.#lookForWrites(client);
        // Listens before it reads, so that no change falls between the two. A standby has no notifications, and is polled until it is
        // promoted.
        if (!isListening && !isStandby) await client.query(`LISTEN ${CATALOGUE_CHANNEL}`);
        isListening = !isStandby;
        await this.#refresh(client, { tidy: false });
        onLoaded();
        // What changed is shown first; memory is tidied when nothing else is to be done.
        if (!doorbell.isRinging && this.#isUntidy()) await this.#refresh(client, { tidy: true });
        await doorbell.rung(POLL_MS);
      }
    } finally {
      this.#stopping.signal.removeEventListener('abort', hangUp);
      hangUp();
    }
  }

  /** Notices whether the database takes writes; returns whether it is a standby. */
  async #lookForWrites(client: Client): Promise<boolean> {
    const { rows } = await client.query<{ isStandby: boolean; isReadOnly: boolean }>(
      `SELECT pg_is_in_recovery() AS "isStandby", current_setting('default_transaction_read_only') = 'on' AS "isReadOnly"`,
    );
    const { isStandby, isReadOnly } = rows[0] as { isStandby: boolean; isReadOnly: boolean };
    if (!isStandby && !isReadOnly) {
      if (this.#readOnlySince) this.#logger.info('the database takes writes again');
      this.#readOnlySince = undefined;
    } else if (!this.#readOnlySince) {
      this.#logger.warn({ standby: isStandby }, 'the database is read-only; the catalogue stays as it is');
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

  /** Logs how many entries exceed the memory budget, once for each number. */
  #reportWithheld(snapshots: RegistrySnapshots): void {
    const entries = withheldIn([...snapshots.values()]);
    if (entries > 0 && entries !== this.#withheld) {
      this.#logger.warn({ entries, budgetBytes: this.#budget }, 'entries exceed the memory budget and are not served');
    }
    this.#withheld = entries;
  }

  /** Beside all else: searches are right without it, and no change waits for it. */
  #index(snapshots: RegistrySnapshots): void {
    const sources = Array.from(snapshots.values()).flatMap((registry) => registry.sources);
    const segments = sources.flatMap(({ layout }) => layout.segments);
    const indexAll = async () => {
      const pacer = Pacer.idle();
      for (const segment of segments) if (!this.#stopping.signal.aborted) await segment.index(pacer);
    };
    this.#indexing = this.#indexing
      .then(indexAll)
      .catch((err: unknown) => this.#logger.warn({ err }, 'searches have no index'));
  }

  #isUntidy(): boolean {
    return Array.from(this.#catalogue.snapshots?.values() ?? []).some(({ sources }) => sources.some(isUntidy));
  }
}

/** Wakes one waiter; rings without a waiter are coalesced into one. */
class Doorbell {
  #next = Promise.withResolvers<void>();
  #failure: Error | undefined;
  #isRinging = false;

  /** Whether it was rung after the last wait. */
  get isRinging(): boolean {
    return this.#isRinging;
  }

  ring(): void {
    this.#isRinging = true;
    this.#next.resolve();
  }

  /** Every wait ends in this error from now on. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.ring();
  }

  /** Returns at the next ring, at the latest after `timeoutMs`. */
  async rung(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.ring(), timeoutMs);
    await this.#next.promise;
    clearTimeout(timer);
    this.#next = Promise.withResolvers<void>();
    this.#isRinging = false;
    if (this.#failure) throw this.#failure;
  }
}
