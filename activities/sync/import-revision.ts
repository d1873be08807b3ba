import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncRequest } from '#domain/sync.js';
import { ShrinkRefused } from '#persistence/shrink-guard.js';
import { removeEntries } from '../cache-directory.js';
import type { ImportedRevision } from '../contract.js';
import { underHeartbeat } from '../heartbeat.js';
import type { Implementation } from '../inputs.js';
import { configurationPending } from '../plan.js';
import { givenConsent } from './consent.js';
import type { ThreadScope } from './import-threads.js';
import type { ImportResult } from './thread-jobs.js';
import { isReadAlike, isStoredAlike, openSource, OVERLAP_MS, storedContent } from './open-source.js';
import type { OpenFile, OpenPages, OpenSource } from './open-source.js';
import type { SyncWorld } from './sync-world.js';
import { walkSource } from './walk-source.js';

/** Beginning of the names of files that are being downloaded. */
const DOWNLOAD = 'download-';

/**
 * Replaces the stored entries of a source by its current content, in one transaction and in a separate thread; on
 * failure the old entries stay. Idempotent: a walk resumes after the last page that is stored. Everything that is
 * imported comes from the spec, the source and the store. The payload says only whether reading the changes is enough.
 */
export function importRevision(world: SyncWorld): Implementation<'importRevision'> {
  return (request, { changesOnly = false }) =>
    underHeartbeat(async (scope) => {
      scope.progress('waiting for other imports');
      using _permit = await world.semaphores.fetches.acquire(scope.signal);
      const source = await openSource(world, request, scope);
      if (source.shape === 'published') throw new Error('a managed source is never imported');
      const importing =
        source.shape === 'file'
          ? importFile(world, request, source, scope)
          : importPages(world, request, changesOnly ? changesSince(source) : undefined, source, scope);
      const imported = await importing.catch((error: unknown) => holdBack(world, request, source, error));
      return describeImport(world, source, imported);
    });
}

async function describeImport(
  { catalogue }: SyncWorld,
  { stored }: OpenSource,
  imported: ImportResult,
): Promise<ImportedRevision> {
  if (!imported.counts) await catalogue.markSynced(stored, imported.revision);
  const { quarantined } = imported.counts ?? storedContent(stored);
  return {
    ...imported,
    ...(imported.counts ? {} : { stored: storedContent(stored) }),
    ...(quarantined > 0 ? { quarantinedEntries: await catalogue.firstQuarantined(stored) } : {}),
  };
}

/** Records the removals that the shrink guard blocked, so that a later trigger confirms these and no others. */
async function holdBack(world: SyncWorld, request: SyncRequest, source: OpenSource, error: unknown): Promise<never> {
  if (!(error instanceof ShrinkRefused)) throw error;
  const { triggerToken } = source;
  // The trigger that started this sync may be the consent. This is known only once this server reads the same trigger.
  if (request.triggerToken !== triggerToken) throw configurationPending('the value of the sync trigger');
  await world.catalogue.holdBack(source.stored, error.held, triggerToken);
  throw error;
}

async function importFile(
  world: SyncWorld,
  request: SyncRequest,
  source: OpenFile,
  scope: ThreadScope,
): Promise<ImportResult> {
  const { format, defaultNamespace, mayBeEmpty, hidesContent, filter, stored } = source;
  const { maxFileBytes } = world.settings;
  const { revision, label } = await source.resolve();
  const alike = isStoredAlike(source);
  if (alike && stored.revision === revision && stored.contentHash !== null) {
    return { revision, contentHash: stored.contentHash };
  }
  // A process that was killed did not remove its download. Nothing else syncs this source at the same time.
  await removeEntries(source.directory, (name) => name.startsWith(DOWNLOAD));
  const file = join(source.directory, `${DOWNLOAD}${randomUUID()}.json`);
  try {
    scope.progress(`fetching ${label}`);
    await source.download({ revision, label }, file);
    return await world.imports.run(
      {
        kind: 'import',
        file,
        label,
        format,
        ...(defaultNamespace !== undefined && { defaultNamespace }),
        mayBeEmpty,
        hidesContent,
        filter,
        maxFileBytes,
        database: world.database,
        readAlike: isReadAlike(source),
        // If the source may be empty, its content is authoritative, so all removals are allowed.
        target: { ...targetOf(request, source), revision, ...(mayBeEmpty && { consent: 'all' as const }) },
        ...(alike && stored.contentHash !== null ? { storedContentHash: stored.contentHash } : {}),
      },
      scope,
    );
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * Imports the pages of a source as a walk. The name of the walk contains its sync and everything that determines the
 * content of its pages, so that another attempt of this activity resumes the walk, unless its parameters have changed.
 */
function importPages(
  world: SyncWorld,
  request: SyncRequest,
  since: string | undefined,
  source: OpenPages,
  scope: ThreadScope,
): Promise<ImportResult> {
  const { specHash, filterHash } = source.plan;
  const name = [syncWorkflowId(request.registry, request.source, request.run), specHash, filterHash, since].join(' ');
  const { database } = world;
  const target = targetOf(request, source);
  const walk = { name, source, database, readAlike: isReadAlike(source), target, updatedSince: since };
  return walkSource(walk, world.walks, scope);
}

/**
 * Returns the time (RFC 3339) after which changes are requested, based on the stored entries. Returns undefined if
 * everything has to be read, because a time from another registry would mean nothing here.
 */
function changesSince(source: OpenPages): string | undefined {
  const { latestUpdate } = source.stored;
  if (latestUpdate === null || !isStoredAlike(source)) return undefined;
  return new Date(Date.parse(latestUpdate) - OVERLAP_MS).toISOString();
}

function targetOf({ registry, source: name, run, trigger }: SyncRequest, source: OpenSource) {
  const { specHash, filterHash } = source.plan;
  const consent = givenConsent(source.stored, specHash, source.triggerToken);
  return {
    registry,
    source: name,
    run,
    trigger,
    specHash,
    filterHash,
    ...(consent && { consent }),
  };
}
