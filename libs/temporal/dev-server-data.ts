import { access, open, rename, rm, writeFile } from 'node:fs/promises';

/**
 * The dev server makes its tables one by one, and only when there is no file: killed in between, it leaves a file with
 * which no later start succeeds. So a file beside it says that the data is not finished, until the first start was.
 */
const unfinishedMark = (dataFile: string) => `${dataFile}.unfinished`;

/** SQLite keeps recent changes beside the database. */
const SUFFIXES = ['', '-wal', '-shm'];

/**
 * Prepares a start: discards data of a start that never finished, sets aside what is no database, and notes when there is no data yet.
 * Returns where damaged data was moved to.
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
 * Moves damaged data out of the way, in place of what was moved there before, and returns the new name. Temporal begins without data then:
 * what is served is in Postgres, and the workflows of registries start again from their specs.
 */
export async function setAside(dataFile: string): Promise<string> {
  const aside = `${dataFile}.damaged`;
  for (const suffix of SUFFIXES) {
    await rm(aside + suffix, { force: true, recursive: true });
    if (await exists(dataFile + suffix)) await rename(dataFile + suffix, aside + suffix);
  }
  return aside;
}

/**
 * Reports whether a start failed because of its data, by the words of SQLite (result codes CORRUPT and NOTADB), or because tables of the
 * dev server are missing.
 */
export function isDamage(error: unknown): boolean {
  return (
    error instanceof Error &&
    /database disk image is malformed|file is not a database|malformed database schema|no such (table|column)|SQL logic error/i.test(
      error.message,
    )
  );
}

/** The first bytes of each database (https://sqlite.org/fileformat.html, 1.3). */
const MAGIC = Buffer.from('SQLite format 3\0');

async function isDatabase(file: string): Promise<boolean> {
  await using handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
  return buffer.equals(MAGIC);
}

/** After each start that succeeded. */
export function markDataFinished(dataFile: string): Promise<void> {
  return rm(unfinishedMark(dataFile), { force: true });
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
