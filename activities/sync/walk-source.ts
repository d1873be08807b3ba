import { withClient } from '#persistence/database-client.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { StagedWalk } from '#persistence/staged-walk.js';
import { CursorRefused } from '#sources/api/walk-pages.js';
import { findSource } from '#sources/index.js';
import type { ImportThreads, ThreadScope } from './import-threads.js';
import type { ImportResult, PublishJob } from './thread-jobs.js';
import type { OpenPages } from './open-source.js';

/** A source to be read page by page and published. */
export interface Walk extends Pick<PublishJob, 'database' | 'readAlike' | 'target'> {
  /** Identifies the walk, so that a retry resumes it. */
  readonly name: string;
  readonly source: Pick<OpenPages, 'type' | 'spec' | 'context' | 'filter' | 'defaultNamespace'>;
  /** Only entries that have changed since this time are read; if undefined, all entries are read. */
  readonly updatedSince: string | undefined;
}

/**
 * Reads a source page by page into the stage, starting where an earlier attempt stopped, and publishes it in one
 * transaction after the last page. Waiting for the registry happens here, where it costs nothing. A thread is used only
 * for the parsing of each page, so that registries that hang, however many, do not delay others.
 */
export async function walkSource(walk: Walk, threads: ImportThreads, scope: ThreadScope): Promise<ImportResult> {
  const { name, source, database, target, readAlike, updatedSince } = walk;
  const { type, spec, context, filter, defaultNamespace } = source;
  const definition = findSource(type);
  if (definition?.shape !== 'pages') throw new Error(`${type} sources are not read page by page`);
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
    if (state.pages > 0) scope.progress(`continuing after page ${state.pages}`);
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
