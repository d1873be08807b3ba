import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TemporalAccess } from '#temporal/connect.js';
import { askTemporal } from '#temporal/pulse.js';
import { RegistryWorkflows } from './registry-workflows.js';

const PULSE_MS = 5_000;
const ANSWER_MS = 3_000;

export interface TemporalLinkOptions {
  connect(): Promise<TemporalAccess>;
  /** Finds the task queue of the workflows. Retried on failure. */
  findTaskQueue(): Promise<string>;
  /** Called once, after the first connection. */
  onConnected(access: TemporalAccess, taskQueue: string): Promise<void>;
  readonly logger: Logger;
}

/** The connection to Temporal. Connecting may take long, and Temporal may become unavailable at any time. */
export class TemporalLink {
  private access: TemporalAccess | undefined;
  private registryWorkflows: RegistryWorkflows | undefined;
  private lastAnswerAtMs = performance.now();
  private readonly stopping = new AbortController();
  readonly ended: Promise<void>;

  constructor(private readonly options: TemporalLinkOptions) {
    this.ended = this.run();
  }

  /** Throws while there is no connection yet. */
  get workflows(): RegistryWorkflows {
    if (!this.registryWorkflows) throw new Error('there is no connection to Temporal yet');
    return this.registryWorkflows;
  }

  get isConnected(): boolean {
    return this.access !== undefined && this.silentForMs() < 2 * PULSE_MS + ANSWER_MS;
  }

  /** Returns the time since the last response from Temporal, or since the start if there was none. */
  silentForMs(): number {
    return performance.now() - this.lastAnswerAtMs;
  }

  /** Stops connecting and probing. The connection stays open. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended.catch(() => undefined);
  }

  /** Closes the connection. Call this when nothing uses it any more. */
  async close(): Promise<void> {
    await this.access?.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const isFirst = this.access === undefined;
      const taskQueue = await this.pulse();
      if (isFirst && this.access && taskQueue !== undefined) await this.options.onConnected(this.access, taskQueue);
      await sleep(PULSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Connects, or probes Temporal if connected already; returns the task queue after connecting. */
  private async pulse(): Promise<string | undefined> {
    const { logger } = this.options;
    try {
      const taskQueue = this.access ? void (await askTemporal(this.access.client)) : await this.connect();
      this.lastAnswerAtMs = performance.now();
      return taskQueue;
    } catch (err) {
      logger.warn({ err }, this.access ? 'Temporal unavailable' : 'cannot connect to Temporal yet');
      return undefined;
    }
  }

  private async connect(): Promise<string> {
    const { connect, findTaskQueue, logger } = this.options;
    const taskQueue = await findTaskQueue();
    this.access = await connect();
    this.registryWorkflows = new RegistryWorkflows(this.access.client, taskQueue);
    logger.info({ taskQueue }, 'connected to Temporal');
    return taskQueue;
  }
}
