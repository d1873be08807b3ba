import { access, rm, writeFile } from 'node:fs/promises';

/**
 * The dev server makes its tables one by one, and only when there is no file: killed in between, it leaves a file with
 * which no later start succeeds. So a file beside it says that the data is not finished, until the first start was.
 */
const unfinishedMark = (dataFile: string) => `${dataFile}.unfinished`;

/** Prepares a start: discards data of a start that never finished, and notes when there is no data yet. */
export async function prepareData(dataFile: string): Promise<void> {
  const mark = unfinishedMark(dataFile);
  if (await exists(mark)) {
    for (const suffix of ['', '-wal', '-shm']) await rm(dataFile + suffix, { force: true });
  } else if (!(await exists(dataFile))) {
    await writeFile(mark, '');
  }
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
