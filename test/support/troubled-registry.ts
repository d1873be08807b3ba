import type { Condition, RegistryStatus } from '#domain/status/registry-status.js';
import type { RegistryWorld } from './registry-world.js';
import { listServers, manifestOf, mcpRegistry } from './standalone-process.js';
import { eventually } from './eventually.js';

/** The parts of a manifest that vary between the cases. */
export interface Setting {
  readonly source: object;
  /** ConfigMaps and Secrets in the manifest. */
  readonly documents?: readonly object[];
}

const PATIENCE_MS = 200_000;

/** A registry with one source in its own manifest file. It is edited and queried as by a user. */
export class TroubledRegistry {
  private triggers = 0;

  constructor(
    private readonly world: RegistryWorld,
    private readonly apiUrl: string,
    readonly name: string,
    private setting: Setting,
  ) {}

  /** Writes the manifest with the given changes. */
  async apply(change: Partial<Setting> = {}): Promise<void> {
    this.setting = { ...this.setting, ...change };
    const { source, documents = [] } = this.setting;
    const registry = mcpRegistry(this.name, [{ name: 'servers', ...source }]);
    const trigger = { 'toolhive.stacklok.dev/sync-trigger': String(this.triggers) };
    const metadata = { name: this.name, ...(this.triggers > 0 ? { annotations: trigger } : {}) };
    await this.world.edit(manifestOf({ ...registry, metadata }, ...documents), `${this.name}.json`);
  }

  /** Triggers a sync, like `kubectl annotate`. */
  async trigger(change: Partial<Setting> = {}): Promise<void> {
    this.triggers++;
    await this.apply(change);
  }

  /** Waits until the status is as wanted and includes the last trigger, and returns it. */
  async status(wanted: (status: RegistryStatus) => boolean): Promise<RegistryStatus> {
    let last: RegistryStatus | undefined;
    const deadline = Date.now() + PATIENCE_MS;
    return eventually(async () => {
      const ref = this.world.documents.registries().find(({ ref: { name } }) => name === this.name)?.ref;
      last = ref && (await this.world.documents.readStatus(ref));
      const isHeard = this.triggers === 0 || last?.lastManualSyncTrigger === String(this.triggers);
      if (last && isHeard && last.syncStatus?.phase !== 'Syncing' && wanted(last)) return last;
      if (Date.now() > deadline)
        throw new Error(`the status of ${this.name} stays at ${JSON.stringify(last, null, 2)}`);
      return undefined;
    });
  }

  /** Returns the names of all servers, as a client reads them. */
  async served(): Promise<string[]> {
    const listed = await listServers(`${this.apiUrl}/default/${this.name}`);
    return (listed ?? []).map(({ name }) => name);
  }

  /** Waits until `count` servers are served, and returns their names. */
  async serves(count: number): Promise<string[]> {
    return eventually(async () => {
      const names = await this.served();
      return names.length === count ? names : undefined;
    });
  }
}

export function conditionOf(status: RegistryStatus, type: Condition['type']): Condition | undefined {
  return status.conditions.find((condition) => condition.type === type);
}
