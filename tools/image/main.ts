import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { projectRoot } from '#environment/project-root.js';
import { findCached, keepInCache } from '#devstack/cache-folder.js';
import { createProgress } from '#devstack/progress.js';
import { runCommand } from '#devstack/run-command.js';
import { layOutApp } from './app-layer.js';
import { demandDebootstrap, makeBaseLayer, STRIP_SCRIPT } from './base-layer.js';
import { writeDockerArchive } from './docker-archive.js';
import { imageConfig } from './image-config.js';
import { layOutRuntime } from './runtime-layer.js';
import { tarAsRoot } from './tar.js';

const USAGE = `Usage: npm run image -- OUT.tar [--name=NAME:TAG]

Writes the image as a docker archive, without a docker engine: for ctr images import, kind load image-archive, docker load.
The base and the dependencies are made once and kept in the cache folder. Linux only, as root, with debootstrap.

  --name=NAME:TAG   default localhost/mcp-registry-operator:dev
  --root=DIR        instead of an image, what the project adds to the base, into DIR (deploy/docker/Dockerfile)
`;

/** Modules that determine the content of the dependency layer. If their code changes, a new layer is made. */
const RUNTIME_RECIPES = [
  './runtime-layer.js',
  './image-modules.js',
  '#persistence/embedded/binaries.js',
  '#persistence/embedded/data-folder.js',
];

type LayOut = (root: string, signal: AbortSignal) => Promise<void>;

const interruption = new AbortController();
const { signal } = interruption;
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interruption.abort());
const progress = createProgress();

process.exitCode = await main().catch((error: Error) => {
  progress.done();
  process.stderr.write(signal.aborted ? 'interrupted\n' : `error: ${error.message}\n`);
  return signal.aborted ? 130 : 1;
});

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      name: { type: 'string', default: 'localhost/mcp-registry-operator:dev' },
      root: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [out] = positionals;
  if (values.root !== undefined) {
    await layOut(resolve(values.root), layOutRuntime);
    await layOut(resolve(values.root), layOutApp);
    return 0;
  }
  if (out === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  await writeImage(resolve(out), values.name);
  return 0;
}

async function writeImage(out: string, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-registry-image-'));
  try {
    const layers = [await baseLayer(), await runtimeLayer(), await packed(folder, layOutApp)];
    progress.step('writing the archive');
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    await writeDockerArchive(out, { name, layers, config: imageConfig(buildOf()), architecture });
    progress.step('measuring');
    const sizes = await Promise.all(layers.map(sizeOf));
    progress.done();
    const total = (pick: keyof Size) => sizes.reduce((sum, size) => sum + size[pick], 0);
    ['base', 'dependencies', 'project'].forEach((layer, at) => say(layer, sizes[at] as Size));
    say(name, { bytes: total('bytes'), compressed: total('compressed') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function baseLayer(): Promise<string> {
  const script = await readFile(STRIP_SCRIPT);
  const recipe = await readFile(new URL(import.meta.resolve('./base-layer.js')));
  return cached('image-base', [script, recipe], 'making a Debian root file system', async (folder) => {
    await demandDebootstrap();
    return makeBaseLayer(folder, signal);
  });
}

async function runtimeLayer(): Promise<string> {
  const lock = await readFile(new URL('package-lock.json', projectRoot));
  const recipes = RUNTIME_RECIPES.map((module) => readFile(fileURLToPath(import.meta.resolve(module))));
  const inputs = [lock, process.version, ...(await Promise.all(recipes))];
  return cached('image-dependencies', inputs, 'laying out the dependencies', (folder) => packed(folder, layOutRuntime));
}

/** Returns the cached layer for the same inputs, or makes and caches it. */
async function cached(
  name: string,
  inputs: readonly (Buffer | string)[],
  step: string,
  make: (folder: string) => Promise<string>,
): Promise<string> {
  const sum = createHash('sha256');
  for (const input of inputs) sum.update(input).update('\0');
  const entry = { name, version: sum.digest('hex').slice(0, 16) };
  const [found] = await findCached(entry);
  if (found !== undefined) return found;
  progress.step(step);
  const made = await keepInCache(entry, make);
  await forgetOthers(name, dirname(made));
  return made;
}

/** Removes old layers from the cache: each has hundreds of megabytes and is not needed again. */
async function forgetOthers(name: string, kept: string): Promise<void> {
  for (const other of await readdir(dirname(kept))) {
    if (!other.startsWith(`${name}-`) || other === basename(kept)) continue;
    await rm(join(dirname(kept), other), { recursive: true, force: true });
  }
}

async function packed(folder: string, lay: LayOut): Promise<string> {
  const root = join(folder, 'layer');
  await layOut(root, lay);
  await tarAsRoot(root, `${root}.tar`);
  await rm(root, { recursive: true });
  return `${root}.tar`;
}

/**
 * Lays out the files of a layer and makes them readable by everyone, so that a strict umask here does not lock out the
 * user that the image runs as.
 */
async function layOut(root: string, lay: LayOut): Promise<void> {
  await mkdir(root, { recursive: true });
  await lay(root, signal);
  await runCommand('chmod', ['-R', 'a+rX,go-w', root], { signal });
}

interface Size {
  readonly bytes: number;
  readonly compressed: number;
}

async function sizeOf(layer: string): Promise<Size> {
  let compressed = 0;
  await pipeline(createReadStream(layer), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) compressed += chunk.length;
  });
  return { bytes: (await stat(layer)).size, compressed };
}

function say(what: string, { bytes, compressed }: Size): void {
  const megabytes = (count: number) => `${Math.round(count / 1e6)} MB`;
  process.stdout.write(`${what}: ${megabytes(bytes)} unpacked, ${megabytes(compressed)} compressed\n`);
}

function buildOf(): { commit: string; date: string } {
  const { BUILD_COMMIT: commit, BUILD_DATE: date } = process.env;
  return { commit: commit || 'unknown', date: date || 'unknown' };
}
