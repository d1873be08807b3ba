import { access, chmod, constants, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { environment } from './environment.js';
import { isExecutable } from './find-on-path.js';
import type { Tool } from './tool.js';

const project = 'mcp-registry-operator';

/** A tool that is built or downloaded once per version. */
type Cached = Pick<Tool, 'name' | 'version'>;

interface CacheFolder {
  readonly path: string;
  /** Whether every user of the machine can write to its parent. */
  readonly inPublic: boolean;
}

/** Returns the folders that cache tools, in order of preference. The last one is for a read-only home. */
function cacheFolders(): CacheFolder[] {
  const { XDG_CACHE_HOME: cacheHome = '', HOME: home = '' } = environment();
  // According to the XDG specification, a relative path counts as not set.
  const base = [cacheHome, join(home, '.cache')].find(isAbsolute);
  return [
    ...(base ? [{ path: join(base, project), inPublic: false }] : []),
    { path: `/var/tmp/${project}-${process.getuid?.()}`, inPublic: true },
  ];
}

/**
 * Returns the path of a tool in a cache folder. It contains the platform, because home directories may be shared
 * between platforms.
 */
export function cachedPath(folder: string, tool: Cached): string {
  return join(folder, `${tool.name}-${tool.version}-${process.platform}-${process.arch}`, tool.name);
}

/** Returns the paths of the tool in the caches, best first. The caller has to check whether they run. */
export async function findCached(tool: Cached): Promise<string[]> {
  const found: string[] = [];
  for (const folder of cacheFolders()) {
    const path = cachedPath(folder.path, tool);
    if ((await isTrusted(folder)) && (await isExecutable(path))) found.push(path);
  }
  return found;
}

/**
 * Calls `make` with an empty folder, moves the executable that it returns into the cache, and returns its path there.
 * The move is a single rename, so the cache never contains a partial file, and concurrent calls do no harm. The folder
 * is always removed; one that a killed process left behind is removed by the next call.
 */
export async function keepInCache(tool: Cached, make: (folder: string) => Promise<string>): Promise<string> {
  const cache = await openCache();
  await removeAbandoned();
  const workFolder = await mkdtemp(join(cache, workPrefix(process.pid)));
  try {
    const made = await make(workFolder);
    const kept = cachedPath(cache, tool);
    await chmod(made, 0o755);
    await mkdir(dirname(kept), { recursive: true });
    await rename(made, kept);
    return kept;
  } finally {
    await rm(workFolder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openCache(): Promise<string> {
  const reasons: string[] = [];
  for (const folder of cacheFolders()) {
    try {
      await mkdir(folder.path, { recursive: true, mode: 0o700 });
      await access(folder.path, constants.W_OK);
      if (await isTrusted(folder)) return folder.path;
      reasons.push(`${folder.path} can be written by other users`);
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  throw new Error(`no cache folder can be written: ${reasons.join('; ')}`);
}

/** Returns false for a folder in which another user could have placed a program for us to run. */
async function isTrusted({ path, inPublic }: CacheFolder): Promise<boolean> {
  if (!inPublic) return true;
  const stats = await lstat(path).catch(() => undefined);
  return stats !== undefined && stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0;
}

function workPrefix(pid: number): string {
  return `.work-${hostname()}-${pid}-`;
}

/**
 * Removes the work folders of processes of this host that no longer run. A cache on a network disk may also have those
 * of other hosts. Folders that cannot be removed are ignored.
 */
export async function removeAbandoned(): Promise<void> {
  for (const folder of cacheFolders()) {
    if (!(await isTrusted(folder))) continue;
    for (const name of await readdir(folder.path).catch(() => [])) {
      const pid = Number(/^\.work-.*-(\d+)-\w+$/.exec(name)?.[1]);
      if (name.startsWith(workPrefix(pid)) && !isAlive(pid)) {
        await rm(join(folder.path, name), { recursive: true, force: true }).catch(() => undefined);
      }
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
