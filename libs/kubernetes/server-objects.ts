import { isExported, registryAnnotations } from '#domain/server-object.js';
import type { ServerObject } from '#domain/server-object.js';
import type { KindName } from './kinds.js';
import type { KubernetesApi, ListPage, Selection, WatchEvent, WatchOptions } from './kubernetes-api.js';
import { KubernetesRefusal } from './kubernetes-error.js';
import type { KubernetesObject } from './kubernetes-object.js';
import { ListWatch } from './list-watch.js';
import type { Pace } from './list-watch.js';

type Reader = Pick<KubernetesApi, 'pages' | 'watch'>;

/** The kinds that represent an MCP server, each with the versions in which a cluster may serve them. */
const VERSIONS = {
  MCPServer: ['MCPServer', 'MCPServerV1beta1'],
  MCPRemoteProxy: ['MCPRemoteProxy', 'MCPRemoteProxyV1beta1'],
  VirtualMCPServer: ['VirtualMCPServer', 'VirtualMCPServerV1beta1'],
} as const satisfies Record<string, readonly KindName[]>;

/**
 * Time between two requests for a kind that the cluster does not know. It is long, because many clusters never get
 * these kinds, and every pod of a registry requests them.
 */
const UNKNOWN_KIND_MS = [5 * 60_000, 30 * 60_000] as const;

type ServerKind = keyof typeof VERSIONS;

const KINDS = Object.keys(VERSIONS) as ServerKind[];

/** Reads a kind in the version that the cluster serves, regardless of the version that is requested. */
class AnyVersion implements Reader {
  #versions: readonly KindName[];

  constructor(
    private readonly api: Reader,
    kind: ServerKind,
    private readonly onListed: () => void = () => undefined,
  ) {
    this.#versions = VERSIONS[kind];
  }

  /** Yields the pages of a list. Throws a refusal with code 404 if the cluster does not know the kind. */
  async *pages<T extends KubernetesObject>(_kind: KindName, selection?: Selection): AsyncGenerator<ListPage<T>> {
    let refusal: unknown;
    for (const version of this.#versions) {
      try {
        yield* this.api.pages<T>(version, selection);
        this.#versions = [version, ...this.#versions.filter((other) => other !== version)];
        this.onListed();
        return;
      } catch (error) {
        if (!isUnknownKind(error)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  }

  watch<T extends KubernetesObject>(_kind: KindName, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    return this.api.watch<T>(this.#versions[0]!, options);
  }
}

interface ServerResource extends KubernetesObject {
  /** The type is unknown, because the CRD does not restrict it. */
  readonly spec?: unknown;
}

/** Lists the MCP servers of a namespace, in every kind that the cluster knows. */
export async function listServerObjects(api: Reader, namespace: string): Promise<ServerObject[]> {
  const lists = await Promise.all(
    KINDS.map(async (kind) => {
      let objects: ServerObject[] = [];
      try {
        for await (const { items, isFirst } of new AnyVersion(api, kind).pages<ServerResource>(kind, { namespace })) {
          const page = items.map((object) => toServerObject(kind, namespace, object));
          objects = isFirst ? page : objects.concat(page);
        }
      } catch (error) {
        if (!isUnknownKind(error)) throw error;
      }
      return objects;
    }),
  );
  return lists.flat();
}

function toServerObject(kind: ServerKind, namespace: string, { metadata, spec }: ServerResource): ServerObject {
  const { name, uid = '', annotations = {} } = metadata;
  const { image, transport, proxyMode } = (spec ?? {}) as Record<string, unknown>;
  const texts = Object.entries({ image, transport, proxyMode }).filter(([, value]) => typeof value === 'string');
  return { kind, namespace, name, uid, annotations, spec: Object.fromEntries(texts) };
}

export interface ExportWatchOptions {
  readonly api: Reader;
  readonly namespace: string;
  /** Called if the entries of the registry may have changed. */
  onChange(): void;
  /** Called if a watch failed and is retried. Not called for a kind that the cluster does not know. */
  onTrouble(error: unknown): void;
  readonly pace?: Partial<Pace>;
}

/** Watches the exported MCP servers of a namespace and reports when the entries made from them may have changed. */
export class ExportWatch {
  /** The data that the entry of each exported object depends on, by kind and name. */
  private readonly exported = new Map<string, string>();
  private readonly watches: readonly ListWatch<KubernetesObject>[];

  constructor(private readonly options: ExportWatchOptions) {
    this.watches = KINDS.map((kind) => this.watch(kind));
  }

  async stop(): Promise<void> {
    await Promise.all(this.watches.map((watch) => watch.stop()));
  }

  private watch(kind: ServerKind): ListWatch<KubernetesObject> {
    const { api, namespace, pace, onChange, onTrouble } = this.options;
    let isMissed = false;
    let isLost = false;
    const onListed = (): void => {
      if (isMissed) onChange();
      isMissed = isLost = false;
    };
    return new ListWatch<KubernetesObject>({
      api: new AnyVersion(api, kind, onListed),
      kind,
      namespace,
      metadataOnly: true,
      pace: { unknownKindMs: UNKNOWN_KIND_MS, ...pace },
      onPresent: (object) => this.seen(kind, object),
      onGone: ({ name }) => this.dropped(`${kind}/${name}`),
      onTrouble: (error) => {
        isMissed = true;
        if (!isUnknownKind(error)) return onTrouble(error);
        if (!isLost && this.hasExported(kind)) onChange();
        isLost = true;
      },
    });
  }

  private seen(kind: ServerKind, { metadata }: KubernetesObject): void {
    const { name, uid, generation, annotations = {} } = metadata;
    const key = `${kind}/${name}`;
    if (!isExported({ annotations })) return this.dropped(key);
    const print = JSON.stringify([uid, generation, registryAnnotations(annotations)]);
    if (this.exported.get(key) === print) return;
    this.exported.set(key, print);
    this.options.onChange();
  }

  private dropped(key: string): void {
    if (this.exported.delete(key)) this.options.onChange();
  }

  private hasExported(kind: ServerKind): boolean {
    return [...this.exported.keys()].some((key) => key.startsWith(`${kind}/`));
  }
}

function isUnknownKind(error: unknown): boolean {
  return error instanceof KubernetesRefusal && error.code === 404;
}
