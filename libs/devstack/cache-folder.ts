import { access, chmod, constants, lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { environment } from './environment.js';
import { isExecutable } from './find-on-path.js';
import type { Tool } from './tool.js';

const project = 'mcp-registry-operator';

/** Something that is made once per version. */
type Cached = Pick<Tool, 'name' | 'version'>;

interface CacheFolder {
  readonly path: string;
  /** Its parent can be written by every user of the machine. */
  readonly inPublic: boolean;
}

/** Returns the folders that keep obtained tools, the preferred one first; the last one serves a read-only home. */
function cacheFolders(): CacheFolder[] {
  const { XDG_CACHE_HOME: cacheHome = '', HOME: home = '' } = environment();
  // The XDG specification says: a relative path counts as not set.
  const base = [cacheHome, join(home, '.cache')].find(isAbsolute);
  return [
    ...(base ? [{ path: join(base, project), inPublic: false }] : []),
    { path: `/var/tmp/${project}-${process.getuid?.()}`, inPublic: true },
  ];
}

/** The path that a tool has in a cache folder; homes are shared between platforms, so it names the platform. */
export function cachedPath(folder: string, tool: Cached): string {
  return join(folder, `${tool.name}-${tool.version}-${process.platform}-${process.arch}`, tool.name);
}

/** The paths at which the cache holds the tool, best first; whether they run is for the caller to find out. */
export async function findCached(tool: Cached): Promise<string[]> {
  const found: string[] = [];
  for (const folder of cacheFolders()) {
    const path = cachedPath(folder.path, tool);
    if ((await isTrusted(folder)) && (await isExecutable(path))) found.push(path);
  }
  return found;
}

/**
 * Calls `make` with an empty folder, moves the executable that it returns into the cache and returns its path there.
 * The move is one rename, so the cache never holds half a file, and two processes that do the same do no harm.
 * The folder is removed in any case; one that a killed process left behind is removed by the next call.
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

/** False for a folder in which another user could have put a program for us to run. */
async function isTrusted({ path, inPublic }: CacheFolder): Promise<boolean> {
  if (!inPublic) return true;
  const stats = await lstat(path).catch(() => undefined);
  return stats !== undefined && stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o022) === 0;
}

function workPrefix(pid: number): string {
  return `.work-${hostname()}-${pid}-`;
}

/**
 * Removes the work folders of processes of this host that have ended; a cache on a network disk has others as well. What
 * cannot be removed stays: it does no harm.
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
