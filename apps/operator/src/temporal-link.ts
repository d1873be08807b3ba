import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TemporalAccess } from '#temporal/connect.js';
import { askTemporal } from '#temporal/pulse.js';
import { RegistryWorkflows } from './registry-workflows.js';

const PULSE_MS = 5_000;
const ANSWER_MS = 3_000;

export interface TemporalLinkOptions {
  connect(): Promise<TemporalAccess>;
  /** Called once, when the first connection stands. */
  onConnected(access: TemporalAccess): Promise<void>;
  readonly taskQueue?: string;
  readonly logger: Logger;
}

/** The way to Temporal: it may take long until there is one, and it may be away for a while at any time. */
export class TemporalLink {
  private access: TemporalAccess | undefined;
  private registryWorkflows: RegistryWorkflows | undefined;
  private lastAnswerAtMs = performance.now();
  private isTold = false;
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

  /** How long ago it answered last; counted from the start if it never did. */
  silentForMs(): number {
    return performance.now() - this.lastAnswerAtMs;
  }

  /** Nothing is begun any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ended.catch(() => undefined);
  }

  /** After whoever works over the connection has ended. */
  async close(): Promise<void> {
    await this.access?.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const { connect, onConnected, taskQueue, logger } = this.options;
    while (!signal.aborted) {
      try {
        if (this.access) {
          await askTemporal(this.access.client);
        } else {
          const access = await connect();
          this.access = access;
          this.registryWorkflows = new RegistryWorkflows(access.client, taskQueue);
          this.lastAnswerAtMs = performance.now();
          logger.info('connected to Temporal');
        }
        this.lastAnswerAtMs = performance.now();
      } catch (err) {
        logger.warn({ err }, 'Temporal does not answer');
      }
      if (this.access && !this.isTold) {
        this.isTold = true;
        await onConnected(this.access);
      }
      await sleep(PULSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
