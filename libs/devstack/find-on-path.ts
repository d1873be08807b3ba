import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { environment } from './environment.js';

/** Returns all executables with this name on PATH, in the order of PATH. */
export async function findOnPath(name: string): Promise<string[]> {
  const folders = (environment()['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const paths = [...new Set(folders)].map((folder) => join(folder, name));
  const runnable = await Promise.all(paths.map(isExecutable));
  return paths.filter((_, index) => runnable[index]);
}

/** Returns whether the path is a file that this user may execute. */
export async function isExecutable(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
