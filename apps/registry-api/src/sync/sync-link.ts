import { setInterval as intervals } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { retryForever } from '#concurrency/retry-forever.js';
import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { StartedSync, SyncNowRequest } from '#domain/server-messages.js';
import type { Store } from '#domain/sync.js';
import type { ServerTrouble } from '#domain/workload.js';
import { connectTemporal } from '#temporal/connect.js';
import type { TemporalAccess, TemporalEndpoint } from '#temporal/connect.js';
import { Pulse } from '#temporal/pulse.js';
import { ServedWorkflows } from '#temporal/served-workflows.js';
import type { RunningWorker } from '#temporal/running-worker.js';
import { StoreKeeper } from './store-keeper.js';

const BACKOFF = { firstMs: 500, longestMs: 15_000 };
/** How often the access to Temporal is reread. The kubelet takes about a minute to update a mounted Secret. */
const ENDPOINT_CHECK_MS = 10_000;
/** Run time after which a worker counts as started, so that the backoff is reset. */
const HEALTHY_MS = 60_000;

export interface SyncLinkOptions {
  readonly registry: RegistryRef;
  /** Returns the current Temporal endpoint, whose Secret may be replaced at any time. */
  endpoint(): Promise<TemporalEndpoint>;
  /**
   * Resolves when the database is usable; rejects when the signal fires. Calls `onTrouble` with the reason each time it
   * changes.
   */
  openStore(scope: { signal: AbortSignal; onTrouble(trouble: ServerTrouble<Reason>): void }): Promise<Store>;
  startWorker(temporal: TemporalAccess, endpoint: TemporalEndpoint, store: Store): Promise<RunningWorker>;
  readonly logger: Logger;
  readonly endpointCheckMs?: number;
}

/**
 * Connects a server to the workflow of its registry: announces its store and runs its tasks. Retries forever when
 * something is unavailable, and reconnects when the address or the credentials change. Requests never wait for it.
 */
export class SyncLink {
  private readonly ending = new AbortController();
  private readonly store: Promise<Store>;
  private readonly running: Promise<void>;
  private trouble: ServerTrouble<Reason> | undefined;
  private workflows: ServedWorkflows | undefined;
  private pulse: Pulse | undefined;
  /** Time at which connecting or running tasks began to fail; undefined while both work. */
  private brokenSince: Date | undefined;

  constructor(private readonly options: SyncLinkOptions) {
    this.store = options.openStore({
      signal: this.ending.signal,
      onTrouble: (trouble) => {
        this.trouble = trouble;
        void this.tellTrouble();
      },
    });
    this.store.then(
      () => (this.trouble = undefined),
      () => undefined,
    );
    this.running = this.linkForever();
  }

  /** Time at which syncs became impossible; undefined while they are possible, and at the start until that is known. */
  get awaySince(): Date | undefined {
    return this.brokenSince ?? this.pulse?.silentSince;
  }

  /** Starts a sync of one source, or of all. Throws while Temporal is unavailable. */
  async syncNow(source?: string, trigger?: SyncNowRequest['trigger']): Promise<readonly StartedSync[]> {
    if (!this.workflows) throw new Error('Temporal is not connected yet');
    return this.workflows.syncNow(this.options.registry, source, trigger);
  }

  /**
   * Stops taking tasks, lets running ones finish within their grace period, and resolves when everything has stopped.
   */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async linkForever(): Promise<void> {
    const { signal } = this.ending;
    let reported: string | undefined;
    const linkOnce = async (reset: () => void) => {
      const startedAt = performance.now();
      await this.link(signal).finally(() => performance.now() - startedAt > HEALTHY_MS && reset());
    };
    const onFailure = (error: unknown) => {
      this.brokenSince ??= new Date();
      const { message } = error as Error;
      // Log each reason only once, however long the outage lasts.
      if (message !== reported) this.options.logger.warn({ err: error }, 'syncs unavailable, serving stored data');
      reported = message;
    };
    while (!signal.aborted) await retryForever(linkOnce, { ...BACKOFF, signal, onFailure });
  }

  /**
   * Runs one connection. Returns when stopped or when the endpoint has changed; throws if something fails that does not
   * recover on its own.
   */
  private async link(signal: AbortSignal): Promise<void> {
    const { registry, logger } = this.options;
    await using stack = new AsyncDisposableStack();
    const endpoint = await this.options.endpoint();
    const temporal = await connectTemporal(endpoint);
    stack.defer(() => temporal.close());
    this.brokenSince = undefined;
    const workflows = new ServedWorkflows(temporal.client);
    this.workflows = workflows;
    this.pulse = new Pulse(temporal.client);
    stack.defer(() => {
      this.workflows = undefined;
      this.brokenSince ??= this.pulse?.silentSince;
      this.pulse?.stop();
      this.pulse = undefined;
    });
    await this.tellTrouble();
    const ended = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    const store = await Promise.race([this.store, ended]);
    if (!store || signal.aborted) return;

    const worker = await this.options.startWorker(temporal, endpoint, store);
    stack.defer(() => worker.stop());
    const keeper = new StoreKeeper(workflows, store, logger);
    stack.defer(() => keeper.stop());
    await keeper.keep(registry);
    logger.info({ registry, store, temporal: endpoint.address }, 'ready to sync');
    const unlinked = new AbortController();
    stack.defer(() => unlinked.abort());
    await Promise.race([worker.ended, ended, this.untilOtherEndpoint(endpoint, unlinked.signal)]);
  }

  /** Resolves when the mounted endpoint differs from this one, or when the signal fires. */
  private async untilOtherEndpoint(endpoint: TemporalEndpoint, signal: AbortSignal): Promise<void> {
    const { logger, endpointCheckMs = ENDPOINT_CHECK_MS } = this.options;
    const changed = async () => !isDeepStrictEqual(await this.options.endpoint().catch(() => endpoint), endpoint);
    try {
      for await (const _tick of intervals(endpointCheckMs, undefined, { signal, ref: false })) {
        if (await changed()) return logger.info('access to Temporal changed, reconnecting');
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Sends the trouble to the workflow, if there is a connection. */
  private async tellTrouble(): Promise<void> {
    const { trouble, workflows } = this;
    if (!trouble || !workflows) return;
    await workflows
      .delayStore(this.options.registry, trouble)
      .catch((err: unknown) => this.options.logger.warn({ err }, 'cannot report the missing store to the workflow'));
  }
}
