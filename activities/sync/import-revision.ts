import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncWorkflowId } from '#domain/registry-ref.js';
import type { SyncRequest } from '#domain/sync.js';
import type { SourceRevision } from '#sources/source.js';
import type { SyncActivities } from '../contract.js';
import { underHeartbeat } from '../heartbeat.js';
import type { ImportResult, ThreadScope } from './import-threads.js';
import { isReadAlike, openSource, storedContent } from './open-source.js';
import type { OpenFile, OpenPages, OpenSource } from './open-source.js';
import { revisionOf, sinceOf } from './resolved-by-spec.js';
import type { SyncWorld } from './sync-world.js';
import { walkSource } from './walk-source.js';

/**
 * Fetches one revision and replaces the source's stored entries by it in one transaction, in a thread of its own; on
 * failure the old entries stay. Safe to repeat: a walk over pages goes on after the last page that is stored.
 */
export function importRevision(world: SyncWorld): SyncActivities['importRevision'] {
  return (request, resolved) =>
    underHeartbeat(async (scope) => {
      scope.progress('waiting for its turn');
      using _turn = await world.turns.fetches.take(scope.signal);
      const source = await openSource(world, request, scope);
      if (source.shape === 'managed') throw new Error('what is published here is never imported');
      const imported =
        source.shape === 'file'
          ? await importFile(world, request, await revisionOf(source, resolved), source, scope)
          : await importPages(world, request, sinceOf(source, resolved), source, scope);
      if (!imported.counts) await world.catalogue.markSynced(source.stored, imported.revision);
      const { quarantined } = imported.counts ?? storedContent(source.stored);
      return {
        ...imported,
        ...(imported.counts ? {} : { stored: storedContent(source.stored) }),
        ...(quarantined > 0 ? { quarantinedEntries: await world.catalogue.firstQuarantined(source.stored) } : {}),
      };
    });
}

async function importFile(
  world: SyncWorld,
  request: SyncRequest,
  { revision, label }: SourceRevision,
  source: OpenFile,
  scope: ThreadScope,
): Promise<ImportResult> {
  const { plan, format, mayBeEmpty, filter, stored } = source;
  const { maxFileBytes } = world.settings;
  const file = join(source.directory, `${randomUUID()}.json`);
  const alike = isReadAlike(source) && stored.filterHash === plan.filterHash;
  try {
    scope.progress(`fetching ${label}`);
    await source.download({ revision, label }, file);
    return await world.imports.run(
      {
        kind: 'import',
        file,
        label,
        format,
        mayBeEmpty,
        filter,
        maxFileBytes,
        database: world.database,
        readAlike: isReadAlike(source),
        // Where the source is the truth itself, nothing that it no longer has is worth keeping.
        target: { ...targetOf(request, source), revision, ...(mayBeEmpty && { confirmedRevision: revision }) },
        ...(alike && stored.contentHash !== null ? { storedContentHash: stored.contentHash } : {}),
      },
      scope,
    );
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * The walk bears the name of its sync and of all that decides what its pages are, so that another try of this activity goes
 * on with it, unless it has to ask for something else.
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

function targetOf({ registry, source, confirmedRevision }: SyncRequest, { plan }: OpenSource) {
  return {
    registry,
    source,
    specHash: plan.specHash,
    filterHash: plan.filterHash,
    ...(confirmedRevision === undefined ? {} : { confirmedRevision }),
  };
}
