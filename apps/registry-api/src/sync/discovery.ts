import type { Logger } from 'pino';
import { ExportWatch } from '#kubernetes/server-objects.js';
import type { ClusterReader } from '../resources/cluster-reader.js';

export interface DiscoveryOptions {
  readonly cluster: ClusterReader;
  readonly namespace: string;
  /** Whether the configuration, as it is now, has a source that is about MCP servers of the cluster. */
  isWanted(): boolean;
  /** Such a source may hold something else by now. */
  onChange(): void;
  readonly logger: Logger;
}

/** Watches the MCP servers of the namespace for as long as a source is about them. */
export class Discovery {
  private watch: ExportWatch | undefined;
  private ended: Promise<void> | undefined;
  private isStopped = false;
  private trouble: string | undefined;

  constructor(private readonly options: DiscoveryOptions) {}

  /** To be called when the configuration may be another. */
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
    return new ExportWatch({ api, namespace, onChange, onTrouble: (error) => this.troubled(error) });
  }

  private end(): void {
    this.ended = this.watch?.stop() ?? this.ended;
    this.watch = undefined;
  }

  /** Once per reason. */
  private troubled(err: unknown): void {
    const { message } = err as Error;
    if (message !== this.trouble) this.options.logger.warn({ err }, 'MCP servers of the cluster cannot be watched');
    this.trouble = message;
  }
}
