import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
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

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
/** A worker that ran for this long did not fail at its start. */
const HEALTHY_MS = 60_000;

export interface SyncLinkOptions {
  readonly registry: RegistryRef;
  /** How Temporal is reached now: its Secret may be replaced at any time. */
  endpoint(): Promise<TemporalEndpoint>;
  /** Resolves when the database can be used; rejects when the signal fires. Reports why not, each time the reason changes. */
  openStore(scope: { signal: AbortSignal; onTrouble(trouble: ServerTrouble<Reason>): void }): Promise<Store>;
  startWorker(temporal: TemporalAccess, endpoint: TemporalEndpoint, store: Store): Promise<RunningWorker>;
  readonly logger: Logger;
}

/**
 * Connects a server to the workflow of its registry: announces its store and takes its tasks. Retries forever whatever is
 * unavailable; requests never wait for it.
 */
export class SyncLink {
  private readonly ending = new AbortController();
  private readonly store: Promise<Store>;
  private readonly running: Promise<void>;
  private trouble: ServerTrouble<Reason> | undefined;
  private workflows: ServedWorkflows | undefined;
  private pulse: Pulse | undefined;
  /** When connecting and taking tasks began to fail; undefined while it works. */
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

  /** When syncs became impossible; undefined while they are possible, and at the start until that is known. */
  get awaySince(): Date | undefined {
    return this.brokenSince ?? this.pulse?.silentSince;
  }

  /** Starts a sync of one source, or of all; throws while Temporal is away. */
  async syncNow(source?: string, trigger?: SyncNowRequest['trigger']): Promise<readonly StartedSync[]> {
    if (!this.workflows) throw new Error('Temporal is not connected yet');
    return this.workflows.syncNow(this.options.registry, source, trigger);
  }

  /** Takes no more tasks, lets running ones end within their grace, and resolves when nothing is left. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.running;
  }

  private async linkForever(): Promise<void> {
    const { signal } = this.ending;
    let retryMs = FIRST_RETRY_MS;
    let told: string | undefined;
    while (!signal.aborted) {
      const startedAt = performance.now();
      try {
        await this.link(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.brokenSince ??= new Date();
        if (performance.now() - startedAt > HEALTHY_MS) retryMs = FIRST_RETRY_MS;
        const { message } = error as Error;
        // One line per reason, however long the outage lasts.
        if (message !== told) this.options.logger.warn({ err: error }, 'syncs unavailable, serving stored data');
        told = message;
        await delay(retryMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
      }
    }
  }

  /** Returns when stopped; throws when something breaks that does not recover by itself. */
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
    await Promise.race([worker.ended, ended]);
  }

  /** Sends the trouble as soon as the workflow can be reached. */
  private async tellTrouble(): Promise<void> {
    const { trouble, workflows } = this;
    if (!trouble || !workflows) return;
    await workflows
      .delayStore(this.options.registry, trouble)
      .catch((err: unknown) => this.options.logger.warn({ err }, 'workflow not informed of the missing store'));
  }
}
