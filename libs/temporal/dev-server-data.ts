import { open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FailedStartError } from '#subprocess/daemon.js';

/**
 * Returns the path of the marker for unfinished data. The dev server creates its tables one by one, and only if there
 * is no file. If it is killed in between, it leaves a file with which no later start succeeds. So the marker exists
 * until the first start has finished.
 */
const unfinishedMark = (dataFile: string) => `${dataFile}.unfinished`;

/**
 * SQLite keeps recent changes in files next to the database. The database comes last, so that it stays in place after a
 * crash in between.
 */
const SUFFIXES = ['-wal', '-shm', ''];

/** Maximum number of copies of damaged data that are kept: the first one and the newest ones. */
export const COPIES_KEPT = 4;

/**
 * Prepares a start: deletes the data of a start that never finished, moves a file that is not a database aside, and
 * creates the marker if there is no data yet. Returns the new path of damaged data, if any.
 */
export async function prepareData(dataFile: string): Promise<string | undefined> {
  const mark = unfinishedMark(dataFile);
  if (await exists(mark)) {
    for (const suffix of SUFFIXES) await rm(dataFile + suffix, { force: true });
    return undefined;
  }
  const damaged = (await exists(dataFile)) && !(await isDatabase(dataFile)) ? await setAside(dataFile) : undefined;
  if (!(await exists(dataFile))) await writeFile(mark, '');
  return damaged;
}

/**
 * Moves damaged data aside and returns its new name, which contains the time:
 * `temporal.db.damaged-2026-11-30T18-20-00.000Z`. Earlier copies are never overwritten. If there are more than {@link
 * COPIES_KEPT}, those between the first and the newest are deleted. Temporal then starts without data. What is served
 * is in Postgres, and the workflows of registries start again from their specs.
 */
export async function setAside(dataFile: string): Promise<string> {
  const earlier = await listCopies(dataFile);
  const copy = await findFreeName(dataFile);
  for (const suffix of SUFFIXES) {
    if (await exists(dataFile + suffix)) await rename(dataFile + suffix, copy + suffix);
  }
  // The new copy counts too, and is kept even if the clock was set back.
  for (const old of earlier.slice(1, 2 - COPIES_KEPT)) {
    for (const suffix of SUFFIXES) await rm(old + suffix, { force: true, recursive: true });
  }
  return copy;
}

const COPY_TIME = /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z)(?:-wal|-shm)?$/;

/** Returns the copies of damaged data, oldest first. */
async function listCopies(dataFile: string): Promise<string[]> {
  const folder = dirname(dataFile);
  const prefix = `${basename(dataFile)}.damaged-`;
  const times = (await readdir(folder)).flatMap((name) =>
    name.startsWith(prefix) ? (COPY_TIME.exec(name.slice(prefix.length))?.slice(1) ?? []) : [],
  );
  return [...new Set(times)].sort().map((time) => join(folder, prefix + time));
}

async function findFreeName(dataFile: string): Promise<string> {
  for (let timeMs = Date.now(); ; timeMs++) {
    const copy = `${dataFile}.damaged-${new Date(timeMs).toISOString().replaceAll(':', '-')}`;
    const taken = await Promise.all(SUFFIXES.map((suffix) => exists(copy + suffix)));
    if (!taken.includes(true)) return copy;
  }
}

/** Messages of SQLite for its result codes CORRUPT and NOTADB, and for missing tables of the dev server. */
const DAMAGE =
  /database disk image is malformed|file is not a database|malformed database schema|no such (table|column)/i;

/**
 * Returns whether a start failed because of its data. Only the last log lines of a server that exited by itself are
 * conclusive, because a server that is slow or was killed may have logged the same and be healthy.
 */
export function isDamage(error: unknown): boolean {
  return error instanceof FailedStartError && DAMAGE.test(error.message);
}

/** The first bytes of every database (https://sqlite.org/fileformat.html, 1.3). */
const MAGIC = Buffer.from('SQLite format 3\0');

async function isDatabase(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
  return buffer.equals(MAGIC);
}

/** Removes the marker for unfinished data. Must be called after each successful start. */
export function markDataFinished(dataFile: string): Promise<void> {
  return rm(unfinishedMark(dataFile), { force: true });
}

/**
 * Returns whether a file exists. Throws if that cannot be determined, because existing data must not be mistaken for
 * missing data.
 */
async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
