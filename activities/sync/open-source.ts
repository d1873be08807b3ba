import { mkdir } from 'node:fs/promises';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import { RegistryError } from '#domain/registry-error.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { ServerObject } from '#domain/server-object.js';
import type { SourceFilter } from '#domain/source-filter.js';
import type { SourceOutline, StoredContent, SyncRequest } from '#domain/sync.js';
import type { SourceEntity } from '#persistence/entities/source.entity.js';
import { findSource, sources } from '#sources/index.js';
import type { ApiContext } from '#sources/api/api-context.js';
import type { Probe } from '#sources/pages.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import type { FileSource, PagedSource, SourceRevision } from '#sources/source.js';
import type { References, SourceContext } from '#sources/context.js';
import { sourceDirectory } from '../cache-directory.js';
import { getWanted, outlineSource } from '../plan.js';
import type { SyncWorld } from './sync-world.js';

/**
 * Overlap between two reads of changes, because the clocks of replicas differ and a commit can become visible after a
 * later one.
 */
export const OVERLAP_MS = 60_000;

interface OpenedSource {
  readonly plan: SourceOutline;
  readonly filter: SourceFilter;
  /** The namespace that is added to names without a slash. */
  readonly defaultNamespace?: string;
  /** Value of the sync-trigger annotation, as read by this process. */
  readonly triggerToken: string | undefined;
  /** The stored row of the source. */
  readonly stored: SourceEntity;
}

export interface OpenFile extends OpenedSource {
  readonly shape: 'file';
  /** Directory for files that are being fetched. */
  readonly directory: string;
  readonly format: FileFormat;
  readonly mayBeEmpty: boolean;
  readonly hidesContent: boolean;
  resolve(): Promise<SourceRevision>;
  download(revision: SourceRevision, path: string): Promise<void>;
}

export interface OpenPages extends OpenedSource {
  readonly shape: 'pages';
  /** The name of the source's block (its content is in `spec`), for the thread that reads the source. */
  readonly type: string;
  readonly spec: unknown;
  readonly context: Omit<ApiContext, keyof SyncScope>;
  probe(): Promise<Probe>;
}

export interface OpenPublished extends OpenedSource {
  readonly shape: 'published';
}

/** A source at the time of a sync: its current spec, its stored row, and access to its data. */
export type OpenSource = OpenFile | OpenPages | OpenPublished;

type SyncScope = Pick<SourceContext, 'signal' | 'progress'>;

/** Opens a source for a sync. Throws `Cancelled` if the registry or the source is gone. */
export async function openSource(world: SyncWorld, request: SyncRequest, scope: SyncScope): Promise<OpenSource> {
  const { registry, source: name } = request;
  const { spec: wanted, triggerToken } = await getWanted(world.resources, registry);
  const source = wanted.registries.find((each) => each.name === name);
  if (!source) throw new RegistryError('Cancelled', `source "${name}" is no longer part of the registry`, 'stop');
  const opened: OpenedSource = {
    plan: outlineSource(source, world.minSyncIntervalMs),
    filter: source.filter ?? {},
    ...(source.defaultNamespace !== undefined && { defaultNamespace: source.defaultNamespace }),
    triggerToken,
    stored: await world.catalogue.openSource(registry, name, request.run),
  };
  const definition = findSource(source.type);
  switch (definition?.shape) {
    case 'pages':
      return openPages(world, definition, source, opened, { ...scope, registry });
    case 'published':
      return { ...opened, shape: 'published' };
    case 'file':
      return openFile(world, definition, source, opened, { ...scope, registry });
    default: {
      const known = sources.map(({ block }) => block).join(', ');
      const message = `this version cannot read ${source.type} sources yet: use one of ${known}`;
      throw new RegistryError('ValidationFailed', message, 'stop');
    }
  }
}

function openPages(
  world: SyncWorld,
  definition: PagedSource<unknown>,
  { type, spec }: RegistrySource,
  opened: OpenedSource,
  { registry, ...scope }: SyncScope & { readonly registry: RegistryRef },
): OpenPages {
  const { urlRewrites, addressPolicy, concealedCause } = world.settings;
  const settings: ApiContext['settings'] = {
    version: world.version,
    urlRewrites,
    ...(addressPolicy && { addressPolicy }),
    ...(concealedCause && { concealedCause }),
  };
  const { latestUpdate, etag } = opened.stored;
  const known = {
    ...(latestUpdate === null ? {} : { updatedSince: latestUpdate }),
    ...(etag === null ? {} : { etag }),
  };
  const context = { references: referencesOf(world, registry), settings, refusals: world.refusals };
  const probe = () => definition.probe(spec, known, { ...scope, ...context });
  return { ...opened, shape: 'pages', type, spec, context, probe };
}

async function openFile(
  world: SyncWorld,
  definition: FileSource<unknown>,
  { name, spec }: RegistrySource,
  opened: OpenedSource,
  { registry, ...scope }: SyncScope & { readonly registry: RegistryRef },
): Promise<OpenFile> {
  const { namespace } = registry;
  const directory = await privateDirectory(world.cacheDirectory, registry, name);
  const context: SourceContext = {
    ...scope,
    namespace,
    references: referencesOf(world, registry),
    cacheDirectory: directory,
    settings: world.settings,
  };
  return {
    ...opened,
    shape: 'file',
    directory,
    format: definition.fileFormat ?? opened.plan.format,
    mayBeEmpty: definition.mayBeEmpty ?? false,
    hidesContent: definition.hidesContent ?? false,
    resolve: () => definition.resolve(spec, context),
    async download(revision, path) {
      using _permit = definition.runsProgram ? await world.semaphores.downloads.acquire(scope.signal) : undefined;
      await definition.download(spec, revision, path, context);
    },
  };
}

export function storedContent({
  contentHash,
  servedCount,
  hiddenCount,
  quarantinedCount,
}: SourceEntity): StoredContent {
  const counts = { served: servedCount, hidden: hiddenCount, quarantined: quarantinedCount };
  return { ...counts, ...(contentHash === null ? {} : { contentHash }) };
}

/**
 * Reports whether the stored entries were fetched and parsed as the current spec says. With another path or branch,
 * other data is expected.
 */
export function isReadAlike({ stored, plan }: Pick<OpenedSource, 'stored' | 'plan'>): boolean {
  return stored.specHash === plan.specHash;
}

/**
 * Reports whether the stored entries, including quarantine, were fetched, parsed and filtered as the current spec says.
 */
export function isStoredAlike(source: Pick<OpenedSource, 'stored' | 'plan'>): boolean {
  const { filterHash, quarantineRefused } = source.stored;
  return isReadAlike(source) && filterHash === source.plan.filterHash && !quarantineRefused;
}

function referencesOf(world: SyncWorld, { namespace }: RegistryRef): References {
  return {
    configMapKey: (name, key) => world.resources.configMapKey(namespace, name, key),
    configMapKeys: (name) => world.resources.configMapKeys(namespace, name),
    secretKey: (name, key) => world.resources.secretKey(namespace, name, key),
    serverObjects: () => serverObjects(world, namespace),
  };
}

async function serverObjects({ resources }: SyncWorld, namespace: string): Promise<readonly ServerObject[]> {
  if (resources.serverObjects) return resources.serverObjects(namespace);
  const message =
    'MCP servers can be discovered only in a cluster, and this server does not run in one: remove the source';
  throw new RegistryError('ValidationFailed', message, 'stop');
}

async function privateDirectory(root: string, { uid }: RegistryRef, source: string): Promise<string> {
  const directory = sourceDirectory(root, uid, source);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}
