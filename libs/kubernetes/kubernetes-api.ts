import { HttpTransport } from './http-transport.js';
import type { ApiRequest } from './http-transport.js';
import type { ClusterAccess } from './cluster-access.js';
import { KubernetesRefusal } from './kubernetes-error.js';
import { kinds, pathOf } from './kinds.js';
import type { KindName } from './kinds.js';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.js';

/** The field manager of everything that the operator writes except status. */
export const FIELD_MANAGER = 'toolhive-operator';
const STATUS_FIELD_MANAGER = 'toolhive-operator-status';

/** Requests metadata only, which is all that most watches need. */
const AS_METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const AS_METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

const PAGE_SIZE = 500;

export interface Selection {
  /** All namespaces when absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Items have apiVersion, kind and metadata only. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface ObjectList<T extends KubernetesObject> {
  readonly items: readonly T[];
  /** A watch from here misses nothing. */
  readonly resourceVersion: string;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  /** After this time the server ends the watch. */
  readonly timeoutSeconds: number;
  /** The watch fails when it is silent for this long; bookmarks come about once a minute. */
  readonly silenceMs: number;
}

export interface WatchEvent<T extends KubernetesObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** A part of a list; all parts are as of one resourceVersion. */
export interface ListPage<T extends KubernetesObject> extends ObjectList<T> {
  /** Whether the list begins here: it begins again when it has expired between two of its pages. */
  readonly isFirst: boolean;
}

export interface ApplyOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

/**
 * The Kubernetes API as this project uses it. Objects are plain JSON. Errors are RegistryErrors: KubernetesUnreachable
 * (`retry`), or KubernetesRefused with the server's message, status code and reason.
 */
export interface KubernetesApi {
  /** Returns undefined when the object does not exist. */
  get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string): Promise<T | undefined>;

  /**
   * Reads a list page by page; consistent, as of its resourceVersion. The API server answers from its cache, which it has
   * compared with etcd (consistent lists from cache, Kubernetes 1.34).
   */
  pages<T extends KubernetesObject>(kind: KindName, selection?: Selection): AsyncGenerator<ListPage<T>>;

  /** Reads all pages. */
  list<T extends KubernetesObject>(kind: KindName, selection?: Selection): Promise<ObjectList<T>>;

  /** Yields changes after a resourceVersion until the server ends the watch. Throws a refusal with code 410 for an expired version. */
  watch<T extends KubernetesObject>(kind: KindName, options: WatchOptions): AsyncGenerator<WatchEvent<T>>;

  /**
   * Server-side apply: sets these fields, and removes those that the manager applied earlier and omits now. Conflicts are
   * forced. With `metadata.uid` it fails for an object with another uid, and when there is none.
   */
  apply<T extends KubernetesObject>(object: T, options?: ApplyOptions): Promise<T>;

  /** Returns what `apply` would return, and stores nothing. */
  dryRunApply<T extends KubernetesObject>(object: T): Promise<T>;

  /** Applies the status alone, under a field manager of its own. */
  applyStatus(object: KubernetesObject & { readonly status: object }): Promise<void>;

  /** Adds and removes finalizers of an object. Idempotent; does nothing when the object is gone. */
  patchFinalizers(kind: KindName, object: ObjectRef, change: FinalizerChange): Promise<void>;

  /** Deletes an object; does nothing when it is gone or has another uid. */
  delete(kind: KindName, object: Omit<ObjectRef, 'uid'> & Partial<Pick<ObjectRef, 'uid'>>): Promise<void>;

  /** Creates an object. Throws a refusal with reason AlreadyExists when there is one. */
  create<T extends KubernetesObject>(object: T): Promise<T>;

  /** Returns the same API as seen by a ServiceAccount, over the same connections. Needs the right to impersonate it. */
  actingAs(account: Pick<ObjectRef, 'namespace' | 'name'>): KubernetesApi;
}

export interface FinalizerChange {
  readonly add?: string;
  readonly remove?: string;
}

export class HttpKubernetesApi implements KubernetesApi {
  /** `asUser`: the user to act as; the user of the access when absent. */
  constructor(
    private readonly access: ClusterAccess,
    private readonly transport = new HttpTransport(access),
    private readonly asUser?: string,
  ) {}

  actingAs({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): KubernetesApi {
    // Without a user the request would be one of the operator itself.
    if (namespace === '' || name === '') throw new Error('a ServiceAccount to act as needs a namespace and a name');
    return new HttpKubernetesApi(this.access, this.transport, `system:serviceaccount:${namespace}:${name}`);
  }

  /** Aborts all watches and calls. */
  close(): Promise<void> {
    return this.transport.close();
  }

  async get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string): Promise<T | undefined> {
    return unless<T>('NotFound', this.call('GET', kind, { namespace, name }));
  }

  async list<T extends KubernetesObject>(kind: KindName, selection: Selection = {}): Promise<ObjectList<T>> {
    let items: T[] = [];
    let resourceVersion = '';
    for await (const page of this.pages<T>(kind, selection)) {
      items = page.isFirst ? [...page.items] : items.concat(page.items);
      ({ resourceVersion } = page);
    }
    return { items, resourceVersion };
  }

  async *pages<T extends KubernetesObject>(
    kind: KindName,
    { namespace, labelSelector, metadataOnly, signal }: Selection = {},
  ): AsyncGenerator<ListPage<T>> {
    let next: string | undefined;
    for (;;) {
      const page = await unless<AnsweredPage<T>>(
        'Expired',
        this.request({
          method: 'GET',
          path: pathOf(kind, namespace),
          query: { limit: PAGE_SIZE, continue: next, labelSelector },
          ...(metadataOnly && { accept: AS_METADATA_LIST }),
          ...(signal && { signal }),
          attempt: `list ${kinds[kind].plural}${namespace === undefined ? '' : ` in ${namespace}`}`,
        }),
      );
      if (page) yield { items: page.items ?? [], ...page.metadata, isFirst: next === undefined };
      next = page?.metadata.continue || undefined;
      if (page && next === undefined) return;
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
    for await (const line of this.transport.lines(this.asActor(request), silenceMs)) {
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
        // Another write came first: read again.
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
    return (await this.request({
      method: 'POST',
      path: pathOf(kind, namespace),
      // Unknown fields are refused instead of dropped.
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
    return (await this.request({
      method: 'PATCH',
      path: pathOf(kind, namespace, name) + subresource,
      query: { force: true, ...query },
      // JSON is YAML.
      body: { contentType: 'application/apply-patch+yaml', value: object },
      attempt: `apply ${subresource.slice(1)}${subresource && ' of '}${describe(kind, namespace, name)}`,
    })) as KubernetesObject;
  }

  private request(request: ApiRequest): Promise<unknown> {
    return this.transport.call(this.asActor(request));
  }

  private asActor(request: ApiRequest): ApiRequest {
    return this.asUser === undefined ? request : { ...request, asUser: this.asUser };
  }

  private call(
    method: ApiRequest['method'],
    kind: KindName,
    { namespace, name, body }: { namespace: string; name: string; body?: NonNullable<ApiRequest['body']> },
  ): Promise<unknown> {
    return this.request({
      method,
      path: pathOf(kind, namespace, name),
      ...(body && { body }),
      attempt: `${verbs[method]} ${describe(kind, namespace, name)}`,
    });
  }
}

const verbs = { GET: 'read', POST: 'create', PATCH: 'patch', DELETE: 'delete' };

interface AnsweredPage<T> {
  /** Null in an empty list of metadata. */
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

/** Returns undefined in place of refusals with this reason. */
async function unless<T>(reason: string, result: Promise<unknown>): Promise<T | undefined> {
  try {
    return (await result) as T;
  } catch (error) {
    if (isRefusal(error, reason)) return undefined;
    throw error;
  }
}
