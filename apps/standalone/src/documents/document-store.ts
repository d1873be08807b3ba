import { createHmac, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { toWanted } from '#activities/plan.js';
import { RegistryError } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { RegistryStatus } from '#domain/status/registry-status.js';
import type { RegistryResource, ResourceStore } from '#domain/resource-store.js';
import type { SyncResources, WantedRegistry } from '#spec/sync-resources.js';
import { ensureReferenceKey } from '../kept-id.js';
import { adoptManifest, changedRegistries, dataKeyOf, NOTHING } from './adopt-manifest.js';
import type { StoreState } from './adopt-manifest.js';
import type { DocumentFault } from './document-fault.js';
import type { DataDocument, Manifest } from './manifest.js';
import { parseFiles, readFiles } from './read-manifests.js';
import type { ManifestFile } from './read-manifests.js';
import { readRecords, writeRecords } from './registry-record.js';
import type { RegistryRecord } from './registry-record.js';
import { StatusFiles } from './status-files.js';
import { FileWatcher } from './watch-files.js';

/**
 * Two reads with this delay must agree before a change takes effect, because a file may be read while it is being
 * written or replaced.
 */
const SETTLE_MS = 200;

/** Maximum number of reads. If a file keeps changing, its last content is used. */
const MAX_READS = 5;

export interface DocumentChanges {
  /**
   * Registries to nudge, because the spec, the trigger, the deletion state or the content of a referenced object has
   * changed.
   */
  readonly nudged: readonly RegistryRef[];
  /** All current errors. */
  readonly faults: readonly DocumentFault[];
  readonly notices: readonly DocumentFault[];
}

/** Must not throw. */
type ChangeListener = (changes: DocumentChanges) => void;

/**
 * Reads MCPRegistries from manifest files, and keeps what the files do not contain in the data directory:
 * `registries.json` (uid, generation, last valid version) and `status/`. Behaves like a cluster to which the files are
 * applied at each change.
 */
export class DocumentStore implements ResourceStore, SyncResources {
  private state: StoreState = NOTHING;
  private files: readonly ManifestFile[] = [];
  private manifest: Manifest = { entries: [], faults: [], notices: [] };
  private readonly statuses: StatusFiles;
  private readonly recordsPath: string;
  private readonly listeners = new Set<ChangeListener>();
  /** The last queued change of the state. Changes run one after the other. */
  private turn: Promise<unknown> = Promise.resolve();

  private readonly paths: readonly string[];

  private constructor(
    paths: readonly string[],
    dataDirectory: string,
    private readonly referenceKey: string,
  ) {
    this.paths = paths;
    this.statuses = new StatusFiles(join(dataDirectory, 'status'));
    this.recordsPath = join(dataDirectory, 'registries.json');
  }

  /** Opens the store and reads all files once. Errors in documents are not thrown; see `faults()`. */
  static async open(paths: readonly string[], dataDirectory: string): Promise<DocumentStore> {
    const store = new DocumentStore(paths, dataDirectory, await ensureReferenceKey(dataDirectory));
    store.state = { ...NOTHING, registries: await readRecords(store.recordsPath) };
    await store.adopt(await readFiles(paths));
    return store;
  }

  /** Returns the registries in the order of their documents, followed by those that are being deleted. */
  registries(): RegistryResource[] {
    return this.state.registries.map(toResource);
  }

  /** Returns the current errors in the documents. */
  faults(): readonly DocumentFault[] {
    return this.manifest.faults;
  }

  /** Returns the documents that are ignored, with the reason. */
  notices(): readonly DocumentFault[] {
    return this.manifest.notices;
  }

  /** Applies edits within two seconds while at least one watch is open, and then calls the listener. */
  watch(onChange: ChangeListener): { close(): Promise<void> } {
    this.listeners.add(onChange);
    const watcher = new FileWatcher(this.paths, () => this.reload());
    return {
      close: async () => {
        this.listeners.delete(onChange);
        await watcher.close();
      },
    };
  }

  async findRegistry({ namespace, name, uid }: RegistryRef): Promise<RegistryResource | undefined> {
    const record = this.state.registries.find((found) => found.uid === uid);
    return record?.namespace === namespace && record.name === name ? toResource(record) : undefined;
  }

  async findWanted(ref: RegistryRef): Promise<WantedRegistry | undefined> {
    const resource = await this.findRegistry(ref);
    return resource && toWanted(resource);
  }

  async configMapKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    return this.dataKey('ConfigMap', 'ConfigMapNotFound', namespace, name, key);
  }

  async configMapKeys(namespace: string, name: string): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.dataOf('ConfigMap', 'ConfigMapNotFound', namespace, name).data;
  }

  async secretKey(namespace: string, name: string, key: string): Promise<Uint8Array> {
    return this.dataKey('Secret', 'SecretNotFound', namespace, name, key);
  }

  async referenceVersion(kind: DataDocument['kind'], namespace: string, name: string): Promise<string | undefined> {
    const document = this.state.data.get(dataKeyOf(kind, namespace, name));
    return document && versionOf(document, this.referenceKey);
  }

  async readStatus(ref: RegistryRef): Promise<RegistryStatus | undefined> {
    return this.statuses.find(ref);
  }

  async writeStatus(ref: RegistryRef, status: RegistryStatus): Promise<boolean> {
    return this.inTurn(async () => {
      const isThere = (await this.findRegistry(ref)) !== undefined;
      if (isThere) await this.statuses.write(ref, status);
      return isThere;
    });
  }

  async release(ref: RegistryRef): Promise<void> {
    await this.inTurn(async () => {
      const record = this.state.registries.find(({ uid }) => uid === ref.uid);
      if (!record?.deleting) return;
      await this.statuses.remove(ref);
      const remaining = this.state.registries.filter(({ uid }) => uid !== ref.uid);
      await this.replaceState({ ...this.state, registries: remaining });
    });
  }

  private async reload(): Promise<void> {
    const files = await this.settledFiles();
    if (isDeepStrictEqual(files, this.files)) return;
    try {
      await this.inTurn(() => this.adopt(files));
    } catch (error) {
      const message = `edits do not take effect: ${(error as Error).message}`;
      this.tell({ nudged: [], faults: [{ file: this.recordsPath, message }], notices: [] });
      throw error;
    }
  }

  private async settledFiles(): Promise<ManifestFile[]> {
    let files = await readFiles(this.paths);
    let before: readonly ManifestFile[] = this.files;
    for (let read = 1; read < MAX_READS && !isDeepStrictEqual(before, files); read++) {
      await sleep(SETTLE_MS);
      before = files;
      files = await readFiles(this.paths);
    }
    return files;
  }

  private async adopt(files: readonly ManifestFile[]): Promise<void> {
    await this.replaceState(this.state, parseFiles(files));
    this.files = files;
  }

  /**
   * Applies the manifest to a state and reports the changes. The state is saved to disk before anything is reported.
   */
  private async replaceState(base: StoreState, manifest = this.manifest): Promise<void> {
    const [before, told] = [this.state, this.manifest];
    const after = adoptManifest(base, manifest, randomUUID);
    if (!isDeepStrictEqual(after.registries, before.registries)) await writeRecords(this.recordsPath, after.registries);
    this.state = after;
    this.manifest = manifest;
    const { faults, notices } = manifest;
    const nudged = changedRegistries(before, after).map(refOf);
    if (nudged.length > 0 || !isDeepStrictEqual([faults, notices], [told.faults, told.notices])) {
      this.tell({ nudged, faults, notices });
    }
  }

  private tell(changes: DocumentChanges): void {
    for (const listener of this.listeners) listener(changes);
  }

  private dataOf(kind: DataDocument['kind'], notFound: Reason, namespace: string, name: string): DataDocument {
    const document = this.state.data.get(dataKeyOf(kind, namespace, name));
    if (document) return document;
    const [file] = this.manifest.entries.flatMap((entry) => {
      const isIt = entry.kind === 'Faulty' && entry.of === kind && entry.namespace === namespace && entry.name === name;
      return isIt ? [entry.file] : [];
    });
    const why = file
      ? `has errors: correct them in ${file}`
      : 'does not exist: add a document for it to one of the manifest files';
    throw new RegistryError(notFound, `${kind} ${namespace}/${name} ${why}`);
  }

  private async dataKey(
    kind: DataDocument['kind'],
    notFound: Reason,
    namespace: string,
    name: string,
    key: string,
  ): Promise<Uint8Array> {
    const document = this.dataOf(kind, notFound, namespace, name);
    const value = document.data.get(key);
    if (!value) {
      const keys = [...document.data.keys()].join(', ') || 'none';
      const remedy = kind === 'Secret' ? 'add it, or refer to another key' : `its keys are: ${keys}`;
      throw new RegistryError('KeyNotFound', `${kind} ${namespace}/${name} has no key ${key}: ${remedy}`);
    }
    return value;
  }

  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const done = this.turn.then(change);
    this.turn = done.catch(() => {});
    return done;
  }
}

function toResource(record: RegistryRecord): RegistryResource {
  const { generation, deleting, triggerToken, spec } = record;
  return { ref: refOf(record), generation, deleting, triggerToken, spec };
}

function refOf({ namespace, name, uid }: RegistryRecord): RegistryRef {
  return { namespace, name, uid };
}

/** Returns a hash of the content that does not depend on the order of keys. */
function versionOf({ data }: DataDocument, key: string): string {
  const hash = createHmac('sha256', key);
  for (const [key, value] of [...data].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${key.length}:${key}${value.byteLength}:`).update(value);
  }
  return hash.digest('hex');
}
