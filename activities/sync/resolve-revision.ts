import type { ResolvedRevision, SyncRequest } from '#domain/sync.js';
import type { Implementation } from '../inputs.js';
import { underHeartbeat } from '../heartbeat.js';
import { isStoredAlike, openSource, OVERLAP_MS, storedContent } from './open-source.js';
import type { OpenFile, OpenPages, OpenSource } from './open-source.js';
import { recordUnchangedRun } from './record-sync-run.js';
import type { SyncWorld } from './sync-world.js';

/** Interval of full reads, because some registries do not report removals. */
const SWEEP_EVERY_MS = 24 * 3600_000;

/**
 * Compares the current revision of the source with the stored one. Writes only the time of this check and, if there is
 * nothing new, the run. Idempotent.
 */
export function resolveRevision(world: SyncWorld): Implementation<'resolveRevision'> {
  return (request) =>
    underHeartbeat(async (scope) => {
      const startedAt = Date.now();
      using _permit = await world.semaphores.looks.acquire(scope.signal);
      const source = await openSource(world, request, scope);
      await world.catalogue.markSyncing(source.stored);
      const resolved = await resolve(source, request);
      if (!resolved.unchanged) return resolved;
      await world.catalogue.markSynced(source.stored, resolved.revision);
      const stored = storedContent(source.stored);
      await recordUnchangedRun(world, request, { ...resolved, stored, startedAt });
      return { ...resolved, stored };
    });
}

function resolve(source: OpenSource, request: SyncRequest): Promise<ResolvedRevision> | ResolvedRevision {
  if (source.shape === 'file') return resolveFile(source);
  if (source.shape === 'pages') return resolvePages(source, request, Date.now());
  const { generation } = source.stored;
  return { revision: `publication ${generation}`, label: 'what is published here', unchanged: true };
}

async function resolveFile(source: OpenFile): Promise<ResolvedRevision> {
  const { revision, label } = await source.resolve();
  return { revision, label, unchanged: source.stored.revision === revision && isStoredAlike(source) };
}

/**
 * Decides whether the stored content is current or a walk is needed. The content of such a source has no revision until
 * it has been read.
 */
async function resolvePages(source: OpenPages, { trigger }: SyncRequest, nowMs: number): Promise<ResolvedRevision> {
  const { stored } = source;
  // Always probe the registry, so that an unavailable one is detected here, before it occupies a thread.
  const { verdict, because } = await source.probe();
  if (stored.revision === null || !isStoredAlike(source)) return walk('everything');
  if (stored.sweptAt === null || nowMs - stored.sweptAt.getTime() >= SWEEP_EVERY_MS) {
    return walk('everything: the daily full sync');
  }
  // A manual sync means that the user doubts the stored entries. Only an entity tag can prove that they are current.
  if (trigger === 'manual' && (verdict !== 'unchanged' || stored.etag === null))
    return walk('everything: requested by a user');
  if (verdict === 'unchanged') {
    if (isSettled(stored)) return { revision: stored.revision, label: because, unchanged: true };
    return { ...walk(`changes before ${stored.latestUpdate}, which may have become visible since`), changesOnly: true };
  }
  if (verdict === 'unknown' || stored.latestUpdate === null) return walk(`everything: ${because}`);
  return { ...walk(`changes since ${stored.latestUpdate}: ${because}`), changesOnly: true };
}

/**
 * Reports whether the last read came so long after the latest update that every earlier one was visible. A registry
 * that is asked only for later updates would never return one that was committed late.
 */
function isSettled({ etag, latestUpdate, syncedAt }: OpenPages['stored']): boolean {
  if (etag !== null || latestUpdate === null || syncedAt === null) return true;
  return syncedAt.getTime() - Date.parse(latestUpdate) >= OVERLAP_MS;
}

function walk(label: string): ResolvedRevision {
  return { revision: 'walk', label, unchanged: false };
}
