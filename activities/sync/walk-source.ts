import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import { CursorRefused } from '#sources/api/walk-pages.js';
import { findSource } from '#sources/index.js';
import type { ImportThreads, ThreadScope } from './import-threads.js';
import type { ImportResult, PublishJob } from './thread-jobs.js';
import type { OpenPages } from './open-source.js';

/** A source that is read page by page, to be walked and published. */
export interface Walk extends Pick<PublishJob, 'database' | 'readAlike' | 'target'> {
  /** Names it, so that a second try goes on with it. */
  readonly name: string;
  readonly source: Pick<OpenPages, 'type' | 'spec' | 'context' | 'filter' | 'defaultNamespace'>;
  /** Only what changed since; absent: everything. */
  readonly updatedSince: string | undefined;
}

/**
 * Reads a source page by page into the stage, from where an earlier try ended, and publishes it in one transaction when
 * the last page is there. It waits for the registry here, where waiting costs nothing; a thread has each page only for as
 * long as it takes to read it, so that no number of registries that hang holds up another.
 */
export async function walkSource(walk: Walk, threads: ImportThreads, scope: ThreadScope): Promise<ImportResult> {
  const { name, source, database, target, readAlike, updatedSince } = walk;
  const { type, spec, context, filter, defaultNamespace } = source;
  const definition = findSource(type);
  if (definition?.shape !== 'pages') throw new Error(`${type} is no source that is read page by page`);
  const { pages } = definition;
  const { sourceId, ...state } = await onConnection(database, async (client) => {
    const opened = await StagedWalk.open(client, target.registry, target.source, name);
    return { sourceId: opened.sourceId, ...(await opened.state()) };
  });
  const stage = { sourceId, walk: name };
  if (!state.isWhole) await fetchPages();
  const isWhole = updatedSince === undefined;
  const dataLabel = definition.address(spec);
  return threads.run({ kind: 'publish', stage, filter, database, readAlike, isWhole, dataLabel, target }, scope);

  async function fetchPages(): Promise<void> {
    if (state.pages > 0) scope.progress(`going on after page ${state.pages}`);
    const { pages: pagesStored, entries, bytes } = state;
    const options = {
      stored: { pages: pagesStored, entries, bytes },
      ...(state.cursor === undefined ? {} : { cursor: state.cursor }),
      ...(defaultNamespace === undefined ? {} : { defaultNamespace }),
      ...(updatedSince === undefined ? {} : { updatedSince }),
    };
    const walked = pages(spec, options, { ...scope, ...context }, (page) =>
      threads.run({ kind: 'page', type, page, stage, database }, scope),
    );
    try {
      while (!(await walked.next()).done);
    } catch (error) {
      if (error instanceof CursorRefused) {
        await onConnection(database, (client) => StagedWalk.reach(client, sourceId, name).reset());
      }
      throw error;
    }
  }
}

function onConnection<T>(database: DatabaseAccess, work: Parameters<typeof withClient<T>>[1]): Promise<T> {
  return withClient(database, work, { application_name: 'mcp-registry-import' });
}
