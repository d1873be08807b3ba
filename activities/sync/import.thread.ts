import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import type { Client } from 'pg';
import { RegistryError } from '#domain/registry-error.js';
import { compileFilter } from '#domain/source-filter.js';
import type { EntryCounts } from '#domain/sync.js';
import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database.js';
import { ShrinkRefused } from '#persistence/shrink-guard.js';
import { refilterSource } from '#persistence/refilter-source.js';
import { publishRevision } from '#persistence/publish-revision.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import { readBlocks } from '#sources/formats/read-blocks.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import type {
  FilterJob,
  ImportJob,
  ImportMessage,
  ImportResult,
  PublishJob,
  ThreadError,
  ThreadJob,
  ThreadResults,
} from './import-threads.js';
import { publishWalk } from './publish-walk.js';
import { yieldToRequests } from './yield-to-requests.js';

/** Everything that is heavy about a sync in one thread, its own database connection included. */
async function run(job: ThreadJob): Promise<ThreadResults[ThreadJob['kind']]> {
  switch (job.kind) {
    case 'import':
      return importFile(job);
    case 'page': {
      // What knows of the pages of other registries is half of this program, and files need none of it.
      const { stagePage } = await import('./stage-page.js');
      return onConnection(job.database, (client) => stagePage(client, job));
    }
    case 'publish':
      return publishStaged(job);
    case 'filter':
      return applyFilter(job);
  }
}

async function applyFilter({ database, target, filter }: FilterJob): Promise<EntryCounts | null> {
  return onConnection(database, (client) => refilterSource(client, target, compileFilter(filter)));
}

async function importFile(job: ImportJob): Promise<ImportResult> {
  const { file, label, format, target, maxFileBytes, mayBeEmpty = false, hidesContent = false } = job;
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
        withProgress(readCatalogue(file, format, { file: label, maxFileBytes, claimKnown, mayBeEmpty, hidesContent })),
    }),
  );
}

function onConnection<T>(database: DatabaseAccess, work: (client: Client) => Promise<T>): Promise<T> {
  return withClient(database, work, { application_name: 'mcp-registry-import' });
}

/** The stage is read while the other connection is busy with a COPY. */
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

async function* withProgress<T>(batches: AsyncIterable<readonly T[]>): AsyncGenerator<readonly T[]> {
  let read = 0;
  for await (const batch of batches) {
    read += batch.length;
    say(`${read} entries read`);
    yield batch;
  }
}

function say(progress: string): void {
  post({ progress });
}

function post(message: ImportMessage): void {
  parentPort?.postMessage(message);
}

yieldToRequests();

/** One job at a time; the thread waits for the next. */
parentPort?.on('message', (job: ThreadJob) => {
  void run(job).then(
    (result) => post({ result }),
    (error: Error & { code?: string }) => post({ error: toThreadError(error) }),
  );
});

function toThreadError(error: Error & { code?: string }): ThreadError {
  const { message, code } = error;
  return {
    message,
    ...(code === undefined ? {} : { code }),
    ...(error instanceof RegistryError ? { reason: error.reason, destiny: error.destiny } : {}),
    ...(error instanceof ShrinkRefused ? { heldRevision: error.heldRevision } : {}),
  };
}
