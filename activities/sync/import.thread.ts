import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import type { Client } from '#persistence/client.js';
import { RegistryError } from '#domain/registry-error.js';
import { compileFilter } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { ShrinkRefused } from '#persistence/shrink-guard.js';
import { refilterSource } from '#persistence/refilter-source.js';
import { publishRevision } from '#persistence/publish-revision.js';
import { Overtaken } from '#persistence/source-row.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import { readBlocks } from '#sources/formats/read-blocks.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { publishWalk } from './publish-walk.js';
import type {
  FilterJob,
  ImportJob,
  ImportResult,
  PublishJob,
  ThreadError,
  ThreadJob,
  ThreadOutcome,
  ThreadResults,
  ThreadTask,
} from './thread-jobs.js';

/** Runs one job. The pool gives a thread one job at a time. */
export default async function runTask({ job, progress }: ThreadTask): Promise<ThreadOutcome> {
  progress.postMessage('begun');
  try {
    return { result: await run(job, progress) };
  } catch (error) {
    return { error: toThreadError(error as Error & { code?: string }) };
  } finally {
    progress.close();
  }
}

/** Does all expensive work of a sync in one thread, with a database connection of its own. */
async function run(job: ThreadJob, progress: MessagePort): Promise<ThreadResults[ThreadJob['kind']]> {
  switch (job.kind) {
    case 'import':
      return importFile(job, progress);
    case 'page': {
      // Loaded lazily: the reader of pages is half of this program, and files do not need it.
      const { stagePage } = await import('./stage-page.js');
      return onConnection(job.database, (client) => stagePage(client, job));
    }
    case 'publish':
      return publishStaged(job);
    case 'filter':
      return applyFilter(job);
    case 'warm-up':
      return null;
  }
}

async function applyFilter({ database, target, filter }: FilterJob): Promise<EntryCounts | null> {
  return onConnection(database, (client) => refilterSource(client, target, compileFilter(filter)));
}

async function importFile(job: ImportJob, progress: MessagePort): Promise<ImportResult> {
  const { file, label, format, defaultNamespace, target, maxFileBytes, mayBeEmpty = false, hidesContent = false } = job;
  const contentHash = await sha256Of(file);
  if (contentHash === job.storedContentHash) return { revision: target.revision, contentHash };
  return onConnection(job.database, (client) =>
    publishRevision(client, {
      ...target,
      contentHash,
      readAlike: job.readAlike,
      isWhole: true,
      hiddenBy: compileFilter(job.filter),
      read: (claimKnown) =>
        withProgress(
          readCatalogue(file, format, {
            file: label,
            maxFileBytes,
            defaultNamespace,
            claimKnown,
            mayBeEmpty,
            hidesContent,
          }),
          progress,
        ),
    }),
  );
}

function onConnection<T>(database: DatabaseAccess, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(database, work, { application_name: 'mcp-registry-import' });
}

/** Publishes a walk over two connections, so that the stage can be read while the other connection runs a COPY. */
function publishStaged(job: PublishJob): Promise<ImportResult> {
  const { database, stage: ref } = job;
  return onConnection(database, (stageClient) =>
    onConnection(database, (client) => publishWalk(client, StagedWalk.reach(stageClient, ref.sourceId, ref.walk), job)),
  );
}

async function sha256Of(file: string): Promise<string> {
  await using handle = await open(file);
  const sum = createHash('sha256');
  for await (const block of readBlocks(handle)) sum.update(block);
  return sum.digest('hex');
}

async function* withProgress<T>(
  batches: AsyncIterable<readonly T[]>,
  progress: MessagePort,
): AsyncGenerator<readonly T[]> {
  let read = 0;
  for await (const batch of batches) {
    read += batch.length;
    progress.postMessage(`${read} entries read`);
    yield batch;
  }
}

function toThreadError(error: Error & { code?: string }): ThreadError {
  const { message, code } = error;
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(error instanceof RegistryError ? { reason: error.reason, destiny: error.destiny } : {}),
    ...(error instanceof ShrinkRefused ? { held: error.held } : {}),
    ...(error instanceof Overtaken
      ? { overtaken: { source: error.source, run: error.run, by: error.overtakenBy } }
      : {}),
  };
}
