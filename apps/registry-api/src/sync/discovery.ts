import type { Logger } from 'pino';
import { ExportWatch } from '#kubernetes/server-objects.js';
import type { ClusterReader } from '../resources/cluster-reader.js';

export interface DiscoveryOptions {
  readonly cluster: ClusterReader;
  readonly namespace: string;
  /** Reports whether the current configuration has a source that lists MCP servers of the cluster. */
  isWanted(): boolean;
  /** Called when the content of such a source may have changed. */
  onChange(): void;
  readonly logger: Logger;
}

/** Watches the MCP servers of the namespace while any source lists them. */
export class Discovery {
  private watch: ExportWatch | undefined;
  private ended: Promise<void> | undefined;
  private isStopped = false;
  private trouble: string | undefined;

  constructor(private readonly options: DiscoveryOptions) {}

  /**
   * Starts or stops the watch according to the current configuration. Call it whenever the configuration may have
   * changed.
   */
  refresh(): void {
    const isWanted = !this.isStopped && this.options.isWanted();
    if (isWanted && !this.watch) this.watch = this.begin();
    if (!isWanted) this.end();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.end();
    await this.ended;
  }

  private begin(): ExportWatch {
    const { cluster: api, namespace, onChange } = this.options;
    return new ExportWatch({ api, namespace, onChange, onTrouble: (error) => this.logOnce(error) });
  }

  private end(): void {
    this.ended = this.watch?.stop() ?? this.ended;
    this.watch = undefined;
  }

  /** Logs each message only once. */
  private logOnce(err: unknown): void {
    const { message } = err as Error;
    if (message !== this.trouble) this.options.logger.warn({ err }, 'watch of MCP servers failed');
    this.trouble = message;
  }
}
