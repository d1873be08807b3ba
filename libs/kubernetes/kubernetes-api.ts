import { AnswerTooLarge, HttpTransport } from './http-transport.js';
import type { ApiRequest, Derivation } from './http-transport.js';
import type { ClusterAccess } from './cluster-access.js';
import { KubernetesRefusal, KubernetesUnreachable } from './kubernetes-error.js';
import { kinds, pathOf } from './kinds.js';
import type { KindName } from './kinds.js';
import type { KubernetesObject, ObjectRef } from './kubernetes-object.js';
import { PageSize } from './page-size.js';

/** The field manager of everything that the operator writes, except for the status. */
export const FIELD_MANAGER = 'toolhive-operator';
const STATUS_FIELD_MANAGER = 'toolhive-operator-status';

/** Media type of a request for metadata only, which is all that most watches need. */
const AS_METADATA = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
const AS_METADATA_LIST = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface Selection {
  /** The namespace to select. All namespaces if absent. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Whether items have only apiVersion, kind and metadata. */
  readonly metadataOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface ObjectList<T extends KubernetesObject> {
  readonly items: readonly T[];
  /** The version of the list. A watch that starts from this version misses no change. */
  readonly resourceVersion: string;
}

export interface WatchOptions extends Selection {
  readonly resourceVersion: string;
  /** Time after which the server closes the watch. */
  readonly timeoutSeconds: number;
  /** The watch fails if nothing arrives for this long. Bookmarks arrive about once a minute. */
  readonly silenceMs: number;
}

export interface WatchEvent<T extends KubernetesObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

/** One page of a list. All pages have the same resourceVersion. */
export interface ListPage<T extends KubernetesObject> extends ObjectList<T> {
  /**
   * Whether this is the first page of the list. The list starts again from its first page if it expires between two
   * pages.
   */
  readonly isFirst: boolean;
}

export interface ApplyOptions {
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

/**
 * The part of the Kubernetes API that this project uses. Objects are plain JSON. Errors are RegistryErrors:
 * KubernetesUnreachable (`retry`), or KubernetesRefused with the server's message, status code and reason.
 */
export interface KubernetesApi {
  /** Returns an object, or undefined if it does not exist. */
  get<T extends KubernetesObject>(kind: KindName, namespace: string, name: string): Promise<T | undefined>;

  /**
   * Returns the result of `derive` for an object, cached until the object changes, because users decide how large
   * objects are and how often they are read. `what` identifies the derivation. Returns undefined if the object does not
   * exist.
   */
  derived<T extends KubernetesObject, Value>(
    object: NamedObject,
    what: string,
    derive: (object: T) => Value,
  ): Promise<Value | undefined>;

  /**
   * Reads a list page by page. The list is consistent as of its resourceVersion. The API server responds from its
   * cache, after it has checked with etcd that the cache is current (consistent lists from cache, Kubernetes 1.34).
   */
  pages<T extends KubernetesObject>(kind: KindName, selection?: Selection): AsyncGenerator<ListPage<T>>;

  /** Reads all pages of a list. */
  list<T extends KubernetesObject>(kind: KindName, selection?: Selection): Promise<ObjectList<T>>;

  /**
   * Yields changes after a resourceVersion until the server closes the watch. Throws a refusal with code 410 if the
   * version has expired.
   */
  watch<T extends KubernetesObject>(kind: KindName, options: WatchOptions): AsyncGenerator<WatchEvent<T>>;

  /**
   * Performs a server-side apply: sets the given fields, and removes those that the same manager applied earlier and
   * now omits. Conflicts are overridden (force). With `metadata.uid`, fails if the object has another uid or does not
   * exist.
   */
  apply<T extends KubernetesObject>(object: T, options?: ApplyOptions): Promise<T>;

  /** Returns what `apply` would return, without storing anything. */
  dryRunApply<T extends KubernetesObject>(object: T): Promise<T>;

  /** Applies only the status, under a separate field manager. */
  applyStatus(object: KubernetesObject & { readonly status: object }): Promise<void>;

  /** Adds and removes finalizers of an object. Idempotent. Does nothing if the object no longer exists. */
  patchFinalizers(kind: KindName, object: ObjectRef, change: FinalizerChange): Promise<void>;

  /** Deletes an object. Does nothing if it no longer exists or has another uid. */
  delete(kind: KindName, object: Omit<ObjectRef, 'uid'> & Partial<Pick<ObjectRef, 'uid'>>): Promise<void>;

  /** Creates an object. Throws a refusal with reason AlreadyExists if it already exists. */
  create<T extends KubernetesObject>(object: T): Promise<T>;

  /**
   * Returns the same API as a ServiceAccount, over the same connections. Requires the right to impersonate that
   * account.
   */
  actingAs(account: Pick<ObjectRef, 'namespace' | 'name'>): KubernetesApi;
}

export interface NamedObject {
  readonly kind: KindName;
  readonly namespace: string;
  readonly name: string;
}

export interface FinalizerChange {
  readonly add?: string;
  readonly remove?: string;
}

export class HttpKubernetesApi implements KubernetesApi {
  /** Creates a client that impersonates `asUser`. If it is absent, the client acts as the user of `access`. */
  constructor(
    private readonly access: ClusterAccess,
    private readonly transport = new HttpTransport(access),
    private readonly asUser?: string,
  ) {}

  actingAs({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): KubernetesApi {
    // An empty user would not be impersonated, so the request would run with the rights of the operator itself.
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

  async derived<T extends KubernetesObject, Value>(
    { kind, namespace, name }: NamedObject,
    what: string,
    derive: (object: T) => Value,
  ): Promise<Value | undefined> {
    // The metadata is read with the rights of this user. A user who may read the metadata may also read the object
    // itself, so a cached value reveals nothing.
    const accept = AS_METADATA;
    const now = await unless<KubernetesObject>('NotFound', this.call('GET', kind, { namespace, name, accept }));
    if (!now) return undefined;
    const { derivations } = this.transport;
    const key = JSON.stringify([kind, namespace, name, what]);
    const known = derivations.get(key);
    if (known && isSameVersion(known, now)) return known.value as Value;
    const object = await this.get<T>(kind, namespace, name);
    if (!object) return undefined;
    const { uid, resourceVersion } = object.metadata;
    const value = derive(object);
    derivations.set(key, { uid, resourceVersion, value });
    return value;
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
    const selected = { path: pathOf(kind, namespace), labelSelector, metadataOnly, signal };
    const attempt = `list ${kinds[kind].plural}${namespace === undefined ? '' : ` in ${namespace}`}`;
    const size = new PageSize();
    let next: string | undefined;
    for (;;) {
      // The permit is held until the page has been handled. Otherwise lists that begin together would have their pages
      // in memory at the same time.
      using _permit = await this.transport.pageSlots.acquire(signal);
      const page = await this.page<T>({ ...selected, attempt, next }, size);
      if (page) yield { items: page.items ?? [], ...page.metadata, isFirst: next === undefined };
      next = page?.metadata.continue || undefined;
      if (page && next === undefined) return;
    }
  }

  /** Reads a page, with fewer and fewer objects while it is too large. Returns undefined if the list has expired. */
  private async page<T>(
    { path, labelSelector, metadataOnly, signal, attempt, next }: PageRequest,
    size: PageSize,
  ): Promise<AnsweredPage<T> | undefined> {
    for (;;) {
      const { limit, maxBytes } = size;
      try {
        const { value, bytes } = await this.transport.read(
          this.asActor({
            method: 'GET',
            path,
            query: { limit, continue: next, labelSelector },
            ...(metadataOnly && { accept: AS_METADATA_LIST }),
            ...(signal && { signal }),
            maxBytes,
            attempt,
          }),
        );
        const page = value as AnsweredPage<T>;
        size.noteRead(bytes, page.items?.length ?? 0);
        return page;
      } catch (error) {
        if (isRefusal(error, 'Expired')) return undefined;
        if (!isTooLarge(error) || !size.reduce()) throw error;
      }
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
      // No finalizer can be added to an object that is being deleted.
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
        // Another write came first, so read the object again.
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
      // Unknown fields are rejected instead of dropped.
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
      // JSON is valid YAML.
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
    { namespace, name, accept, body }: Omit<NamedObject, 'kind'> & Pick<ApiRequest, 'accept' | 'body'>,
  ): Promise<unknown> {
    const request = {
      method,
      path: pathOf(kind, namespace, name),
      ...(accept !== undefined && { accept }),
      ...(body && { body }),
      attempt: `${verbs[method]} ${describe(kind, namespace, name)}`,
    };
    return this.transport.shares.run(namespace, () => this.request(request));
  }
}

const verbs = { GET: 'read', POST: 'create', PATCH: 'patch', DELETE: 'delete' };

interface PageRequest extends Pick<ApiRequest, 'path' | 'attempt'> {
  readonly labelSelector: string | undefined;
  readonly metadataOnly: boolean | undefined;
  readonly signal: AbortSignal | undefined;
  /** Continue token of the list; undefined for the first page. */
  readonly next: string | undefined;
}

function isSameVersion(known: Derivation, { metadata }: KubernetesObject): boolean {
  return known.uid === metadata.uid && known.resourceVersion === metadata.resourceVersion;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof KubernetesUnreachable && error.cause instanceof AnswerTooLarge;
}

interface AnsweredPage<T> {
  /** The API server sends null for an empty list of metadata. */
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

/** Returns the result, or undefined if the API server refuses the request with the given reason. */
async function unless<T>(reason: string, result: Promise<unknown>): Promise<T | undefined> {
  try {
    return (await result) as T;
  } catch (error) {
    if (isRefusal(error, reason)) return undefined;
    throw error;
  }
}
