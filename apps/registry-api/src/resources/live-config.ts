import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { SERVER_CONFIG_KEY, SERVER_GENERATION_KEY, SERVER_TRIGGER_KEY, serverConfigName } from '#spec/pod-paths.js';
import { formatConfigFault, parseServerConfig } from '#spec/server-config.js';
import type { ServerIdentity, ServerSpec } from '#spec/server-config.js';
import { RegistryError } from '#domain/registry-error.js';
import type { ConfigMap } from '#kubernetes/config-map.js';
import type { ClusterReader } from './cluster-reader.js';

/** The longest delay of an edit that starts no sync, such as that of the display name. */
const REFRESH_MS = 60_000;

/** A text without a generation counts as the newest. */
const NEWEST = Number.MAX_SAFE_INTEGER;

export interface ConfigText {
  readonly text: string;
  /** The generation of the MCPRegistry. */
  readonly generation: number;
  /** Value of its sync-trigger annotation. */
  readonly triggerToken?: string;
}

/**
 * The configuration of this server as it is in the cluster at this moment: a mounted ConfigMap lags by a minute. While the API server
 * cannot be asked it is as it was known last, or as it is mounted if that is newer.
 */
export class LiveConfig {
  #spec: ServerSpec;
  #known: ConfigText | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => undefined;

  private constructor(
    private readonly file: string,
    spec: ServerSpec,
    private readonly logger: Logger,
  ) {
    this.#spec = spec;
  }

  /** Throws a RegistryError with every fault of the file. */
  static async open(file: string, logger: Logger): Promise<{ config: LiveConfig; identity: Partial<ServerIdentity> }> {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      const message = `${file}: cannot be read (${error.code}): name the configuration with --config FILE`;
      throw new RegistryError('ValidationFailed', message, 'stop', { cause: error });
    });
    const parsed = parseServerConfig(text);
    if (!('faults' in parsed)) {
      return { config: new LiveConfig(file, parsed.spec, logger), identity: parsed.identity };
    }
    const faults = parsed.faults.map((fault) => `${file}: ${formatConfigFault(fault)}`);
    throw new RegistryError('ValidationFailed', faults.join('\n'), 'stop');
  }

  /** The last good version. */
  get spec(): ServerSpec {
    return this.#spec;
  }

  /** Reads the configuration from the cluster as well from now on. */
  follow(cluster: ClusterReader, { namespace, name }: ServerIdentity): void {
    this.readCluster = async () => {
      const configMap = await cluster.get<ConfigMap>('ConfigMap', namespace, serverConfigName(name));
      const text = configMap?.data?.[SERVER_CONFIG_KEY];
      const generation = Number(configMap?.data?.[SERVER_GENERATION_KEY] ?? NEWEST);
      const triggerToken = configMap?.data?.[SERVER_TRIGGER_KEY];
      return text === undefined ? undefined : { text, generation, ...(triggerToken !== undefined && { triggerToken }) };
    };
    this.poll();
  }

  /** Reads the configuration now and then, where no sync does so. */
  poll(): void {
    this.refresh();
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS).unref();
  }

  /** Called whenever it says something else than before. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async read(): Promise<ConfigText> {
    const now = await this.readNow();
    if (now.text !== this.#known?.text) {
      const parsed = parseServerConfig(now.text);
      if ('spec' in parsed) {
        this.#spec = parsed.spec;
        this.#onChange();
      }
    }
    this.#known = now;
    return now;
  }

  private readCluster: () => Promise<ConfigText | undefined> = async () => undefined;

  private async readNow(): Promise<ConfigText> {
    const live = await this.readCluster().catch((err: unknown) => {
      this.logger.warn({ err }, 'the configuration cannot be read from the cluster');
      return undefined;
    });
    if (live) return live;
    const known = this.#known;
    const mounted = await this.readMounted();
    const isKnownNewer = known && known.generation !== NEWEST && known.generation > (mounted.generation ?? 0);
    return isKnownNewer ? known : { generation: NEWEST, ...mounted };
  }

  /** All files change at the same moment. It may come between the two looks: then the generation is too low, and soon right. */
  private async readMounted(): Promise<Pick<ConfigText, 'text'> & Partial<ConfigText>> {
    const beside = (key: string) => readFile(join(dirname(this.file), key), 'utf8').catch(() => undefined);
    const [generation, triggerToken] = await Promise.all([beside(SERVER_GENERATION_KEY), beside(SERVER_TRIGGER_KEY)]);
    const text = await readFile(this.file, 'utf8');
    return {
      text,
      ...(generation !== undefined && { generation: Number(generation) }),
      ...(triggerToken !== undefined && { triggerToken }),
    };
  }

  private refresh(): void {
    this.read().catch((err: unknown) => this.logger.warn({ err }, 'the configuration cannot be read'));
  }
}
