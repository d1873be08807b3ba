import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { SERVER_CONFIG_KEY, SERVER_GENERATION_KEY, SERVER_TRIGGER_KEY, serverConfigName } from '#spec/pod-paths.js';
import { formatConfigFault, parseServerConfig } from '#spec/server-config.js';
import type { ConfigFault, ServerIdentity, ServerSpec } from '#spec/server-config.js';
import { joinFaults } from '#spec/spec-fault.js';
import { InvalidSpec } from '#spec/sync-resources.js';
import type { WantedRegistry } from '#spec/sync-resources.js';
import { RegistryError } from '#domain/registry-error.js';
import type { ConfigMap } from '#kubernetes/config-map.js';
import type { ClusterReader } from './cluster-reader.js';

/** Maximum delay of an edit that starts no sync, such as that of the display name. */
const REFRESH_MS = 60_000;

/** The generation that is assumed for a configuration without one. It counts as the newest. */
const NEWEST = Number.MAX_SAFE_INTEGER;

interface ConfigText {
  readonly text: string;
  /** Generation of the MCPRegistry. */
  readonly generation: number;
  /** Value of the sync-trigger annotation of the MCPRegistry. */
  readonly triggerToken?: string;
}

/**
 * The current configuration of this server in the cluster, because a mounted ConfigMap lags by up to a minute. While
 * the API server is unavailable, it is the last known configuration, or the mounted one if that is newer.
 */
export class LiveConfig {
  #spec: ServerSpec;
  #known: ConfigText | undefined;
  /** Errors of the known text. */
  #faults: readonly ConfigFault[] = [];
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => undefined;

  private constructor(
    private readonly file: string,
    spec: ServerSpec,
    private readonly logger: Logger,
  ) {
    this.#spec = spec;
  }

  /** Opens the configuration. Throws a RegistryError with every error of the file. */
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

  /** The last valid spec. */
  get spec(): ServerSpec {
    return this.#spec;
  }

  /** Starts to read the configuration from the cluster too, and polls it. */
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

  /**
   * Rereads the configuration every minute. Servers that run no syncs need this, because a sync would also reread it.
   */
  poll(): void {
    this.refresh();
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS).unref();
  }

  /** Sets a listener that is called when the configuration has changed. */
  onChange(listener: () => void): void {
    this.#onChange = listener;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Reads the current configuration. Throws `InvalidSpec` with the first errors of the manifest. */
  async read(): Promise<WantedRegistry> {
    const now = await this.readNow();
    if (now.text !== this.#known?.text) this.parse(now.text);
    this.#known = now;
    if (this.#faults.length > 0) {
      throw new InvalidSpec(joinFaults(this.#faults.map(formatConfigFault)), now.generation);
    }
    return { spec: this.#spec, generation: now.generation, triggerToken: now.triggerToken };
  }

  private parse(text: string): void {
    const parsed = parseServerConfig(text);
    this.#faults = 'faults' in parsed ? parsed.faults : [];
    if ('faults' in parsed) return;
    this.#spec = parsed.spec;
    this.#onChange();
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

  /**
   * Reads the mounted files, which all change at the same moment. If that happens between the two reads, the generation
   * is too low until the next read.
   */
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
