import { HttpTransport } from './http-transport.js';
import type { ApiRequest } from './http-transport.js';
import type { ClusterAccess } from './cluster-access.js';
import { KubernetesRefusal } from './kubernetes-error.js';
import { kinds, pathOf } from './kinds.js';
import type { KindName } from './kinds.js';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.js';

/** Owns the fields that the operator writes, but for the status. */
export const FIELD_MANAGER = 'toolhive-operator';
const STATUS_FIELD_MANAGER = 'toolhive-operator-status';

/** Metadata alone is as much as most watchers need, and far less than all the data of a namespace. */
const AS_METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const AS_METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

const PAGE_SIZE = 500;

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Items then have no more than apiVersion, kind and metadata. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface ObjectList<T extends KubernetesObject> {
  readonly items: readonly T[];
  /** A watch that begins here misses nothing. */
  readonly resourceVersion: string;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  /** The server ends the watch after so long. */
  readonly timeoutSeconds: number;
  /** The watch fails when it says nothing for so long; bookmarks come about once a minute. */
  readonly silenceMs: number;
}

export interface WatchEvent<T extends KubernetesObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** Settles with what came of the write. */
export interface ApplyOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

/**
 * The Kubernetes API as this project uses it. Objects are plain JSON. What fails is a RegistryError: KubernetesUnreachable
 * (`retry`), or KubernetesRefused with the server's own words, its status code and its reason.
 */
export interface KubernetesApi {
  /** Undefined when there is none. */
  get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string): Promise<T | undefined>;

  /** Read in pages; consistent, as of its resourceVersion. */
  list<T extends KubernetesObject>(kind: KindName, selection?: Selection): Promise<ObjectList<T>>;

  /** Changes after a resourceVersion, until the server ends the watch. A version that is too old: refusal with code 410. */
  watch<T extends KubernetesObject>(kind: KindName, options: WatchOptions): AsyncGenerator<WatchEvent<T>>;

  /**
   * Server-side apply: the object then has these fields, and none that the manager applied earlier and leaves out now.
   * Fields that others own are taken over. With `metadata.uid` it fails for any other object, and when there is none.
   */
  apply<T extends KubernetesObject>(object: T, options?: ApplyOptions): Promise<T>;

  /** What `apply` would say; nothing is stored. */
  dryRunApply<T extends KubernetesObject>(object: T): Promise<T>;

  /** Applies the status alone, under a field manager of its own. */
  applyStatus(object: KubernetesObject & { readonly status: object }): Promise<void>;

  /** Adds and removes finalizers of one object; nothing is written when they are as wanted, or when the object is gone. */
  patchFinalizers(kind: KindName, object: ObjectRef, change: FinalizerChange): Promise<void>;

  /** Is fine with an object that is gone, and with one that has another uid. */
  delete(kind: KindName, object: Omit<ObjectRef, 'uid'> & Partial<Pick<ObjectRef, 'uid'>>): Promise<void>;

  /** Creates the object; a refusal with reason AlreadyExists when there is one. */
  create<T extends KubernetesObject>(object: T): Promise<T>;
}

export interface FinalizerChange {
  readonly add?: string;
  readonly remove?: string;
}

export class HttpKubernetesApi implements KubernetesApi {
  private readonly transport: HttpTransport;

  constructor(access: ClusterAccess) {
    this.transport = new HttpTransport(access);
  }

  /** Ends watches and calls that are under way. */
  close(): Promise<void> {
    return this.transport.close();
  }

  async get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string): Promise<T | undefined> {
    return unless<T>('NotFound', this.call('GET', kind, { namespace, name }));
  }

  async list<T extends KubernetesObject>(kind: KindName, selection: Selection = {}): Promise<ObjectList<T>> {
    for (;;) {
      const list = await this.listPages<T>(kind, selection);
      if (list) return list;
    }
  }

  async *watch<T extends KubernetesObject>(kind: KindName, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { namespace, labelSelector, metadataOnly, signal, resourceVersion, timeoutSeconds, silenceMs } = options;
    const attempt = `watch ${kinds[kind].plural}${namespace === undefined ? '' : ` in ${namespace}`}`;
    const request: ApiRequest = {
      method: 'GET',
      path: pathOf(kind, namespace),
      query: { watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds, labelSelector },
      ...(metadataOnly && { accept: AS_METADATA }),
      ...(signal && { signal }),
      attempt,
    };
    for await (const line of this.transport.lines(request, silenceMs)) {
      const event = JSON.parse(line) as WatchEvent<T> | ErrorEvent;
      if (event.type === 'ERROR') throw new KubernetesRefusal(attempt, event.object);
      yield event;
    }
  }

  async apply<T extends KubernetesObject>(object: T, options: ApplyOptions = {}): Promise<T> {
    const { fieldManager = FIELD_MANAGER, dryRun = false } = options;
    return (await this.applyAt(object, '', { fieldManager, ...(dryRun && { dryRun: 'All' }) })) as T;
  }

  dryRunApply<T extends KubernetesObject>(object: T): Promise<T> {
    return this.apply(object, { dryRun: true });
  }

  async applyStatus(object: KubernetesObject & { readonly status: object }): Promise<void> {
    await this.applyAt(object, '/status', { fieldManager: STATUS_FIELD_MANAGER });
  }

  async patchFinalizers(kind: KindName, { namespace, name, uid }: ObjectRef, change: FinalizerChange): Promise<void> {
    for (;;) {
      const object = await this.get(kind, namespace, name);
      if (object?.metadata.uid !== uid) return;
      const { resourceVersion, finalizers = [], deletionTimestamp } = object.metadata;
      const kept = finalizers.filter((finalizer) => finalizer !== change.remove);
      // An object under deletion takes no new finalizer.
      const adds = change.add !== undefined && !kept.includes(change.add) && deletionTimestamp === undefined;
      if (!adds && kept.length === finalizers.length) return;
      const metadata = { uid, resourceVersion, finalizers: adds ? [...kept, change.add] : kept };
      try {
        await this.call('PATCH', kind, {
          namespace,
          name,
          body: { contentType: 'application/merge-patch+json', value: { metadata } },
        });
        return;
      } catch (error) {
        if (isRefusal(error, 'NotFound')) return;
        // Somebody else wrote in between: look again.
        if (!isRefusal(error, 'Conflict')) throw error;
      }
    }
  }

  async delete(
    kind: KindName,
    { namespace, name, uid }: Omit<ObjectRef, 'uid'> & Partial<Pick<ObjectRef, 'uid'>>,
  ): Promise<void> {
    const options = { propagationPolicy: 'Background', ...(uid !== undefined && { preconditions: { uid } }) };
    const deleting = this.call('DELETE', kind, {
      namespace,
      name,
      body: { contentType: 'application/json', value: options },
    });
    await unless('Conflict', unless('NotFound', deleting));
  }

  async create<T extends KubernetesObject>(object: T): Promise<T> {
    const kind = object.kind as KindName;
    const { namespace, name } = object.metadata;
    return (await this.transport.call({
      method: 'POST',
      path: pathOf(kind, namespace),
      // Never with a field dropped in silence.
      query: { fieldManager: FIELD_MANAGER, fieldValidation: 'Strict' },
      body: { contentType: 'application/json', value: object },
      attempt: `create ${describe(kind, namespace, name)}`,
    })) as T;
  }

  private async applyAt(
    object: KubernetesObject,
    subresource: string,
    query: Record<string, string>,
  ): Promise<KubernetesObject> {
    const kind = object.kind as KindName;
    const { namespace, name } = object.metadata;
    return (await this.transport.call({
      method: 'PATCH',
      path: pathOf(kind, namespace, name) + subresource,
      query: { force: true, ...query },
      // JSON is YAML.
      body: { contentType: 'application/apply-patch+yaml', value: object },
      attempt: `apply ${subresource.slice(1)}${subresource && ' of '}${describe(kind, namespace, name)}`,
    })) as KubernetesObject;
  }

  /** Undefined when the list aged away between two of its pages. */
  private async listPages<T extends KubernetesObject>(
    kind: KindName,
    { namespace, labelSelector, metadataOnly, signal }: Selection,
  ): Promise<ObjectList<T> | undefined> {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await unless<ListPage<T>>(
        'Expired',
        this.transport.call({
          method: 'GET',
          path: pathOf(kind, namespace),
          query: { limit: PAGE_SIZE, continue: next, labelSelector },
          ...(metadataOnly && { accept: AS_METADATA_LIST }),
          ...(signal && { signal }),
          attempt: `list ${kinds[kind].plural}${namespace === undefined ? '' : ` in ${namespace}`}`,
        }),
      );
      if (!page) return undefined;
      for (const item of page.items ?? []) items.push(item);
      next = page.metadata.continue || undefined;
      if (next === undefined) return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  private call(
    method: ApiRequest['method'],
    kind: KindName,
    { namespace, name, body }: { namespace: string; name: string; body?: NonNullable<ApiRequest['body']> },
  ): Promise<unknown> {
    return this.transport.call({
      method,
      path: pathOf(kind, namespace, name),
      ...(body && { body }),
      attempt: `${verbs[method]} ${describe(kind, namespace, name)}`,
    });
  }
}

const verbs = { GET: 'read', POST: 'create', PATCH: 'patch', DELETE: 'delete' };

interface ListPage<T> {
  /** Null for an empty list of metadata. */
  readonly items: readonly T[] | null;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
}

interface ErrorEvent {
  readonly type: 'ERROR';
  readonly object: { readonly code: number; readonly reason: string; readonly message: string };
}

function describe(kind: KindName, namespace: string | undefined, name: string): string {
  return `${kind} ${kinds[kind].namespaced && namespace !== undefined ? `${namespace}/` : ''}${name}`;
}

export function isRefusal(error: unknown, reason: string): error is KubernetesRefusal {
  return error instanceof KubernetesRefusal && error.statusReason === reason;
}

/** Undefined in place of one kind of refusal. */
async function unless<T>(reason: string, result: Promise<unknown>): Promise<T | undefined> {
  try {
    return (await result) as T;
  } catch (error) {
    if (isRefusal(error, reason)) return undefined;
    throw error;
  }
}
