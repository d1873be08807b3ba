import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { RegistryError } from '#domain/registry-error.js';
import { jsonFilePath, objectName } from '#domain/spec-fields.js';
import { didYouMean, nearNames } from './near-names.js';
import { defineSource } from './source.js';
import type { SourceContext } from './source.js';

const pvcSpec = z
  .strictObject({
    claimName: objectName.describe('Name of the PersistentVolumeClaim.'),
    path: jsonFilePath.default('registry.json').describe('The registry file, from the root of the volume.'),
  })
  .describe('A file on a PersistentVolumeClaim in the same namespace.');

type PvcSpec = z.output<typeof pvcSpec>;

/** Reads a file from a mounted volume. The revision is the sha256 of its bytes: time stamps of network volumes lie. */
export const pvcSource = defineSource<PvcSpec>({
  block: 'pvcRef',
  shape: 'file',
  spec: pvcSpec,

  address: ({ claimName, path }) => `PersistentVolumeClaim ${claimName}, ${path}`,

  references: () => ({}),

  async resolve(spec, context) {
    await using file = await openFile(spec, context);
    const hash = createHash('sha256');
    for await (const chunk of chunks(file, spec, context)) hash.update(chunk);
    const revision = hash.digest('hex');
    return { revision, label: `${spec.path}@${revision.slice(0, 16)}` };
  },

  async download(spec, { revision }, path, context) {
    await using file = await openFile(spec, context);
    const hash = createHash('sha256');
    const hashed = async function* () {
      for await (const chunk of chunks(file, spec, context)) {
        hash.update(chunk);
        yield chunk;
      }
    };
    await pipeline(hashed, createWriteStream(path), { signal: context.signal });
    if (hash.digest('hex') !== revision) {
      throw new RegistryError('FetchFailed', `${describe(spec)} was changed while it was read.`, 'retry');
    }
  },
});

/** Opens a regular file that really lies in the volume. */
async function openFile(spec: PvcSpec, { settings }: SourceContext): Promise<FileHandle> {
  const directory = settings.volumes.get(spec.claimName);
  const root = directory && (await realpath(directory).catch(() => undefined));
  if (root === undefined) {
    const remedy = 'create the claim in the same namespace; it is mounted when the pod starts';
    throw new RegistryError('PVCNotFound', `PersistentVolumeClaim ${spec.claimName} is not mounted: ${remedy}.`);
  }
  try {
    const real = await realpath(join(root, spec.path));
    if (!isInside(root, real)) {
      throw new RegistryError(
        'FileNotFound',
        `${describe(spec)} is a link that leads out of the volume: put the file itself there.`,
      );
    }
    // NONBLOCK: opening a pipe would wait for a writer that never comes.
    const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new RegistryError('FileNotFound', `${describe(spec)} is not a regular file: set pvcRef.path to one.`);
  } catch (error) {
    throw error instanceof RegistryError ? error : await toFailure(error as NodeJS.ErrnoException, spec, root);
  }
}

async function* chunks(file: FileHandle, spec: PvcSpec, context: SourceContext): AsyncGenerator<Buffer> {
  const limit = context.settings.maxFileBytes;
  let bytes = 0;
  try {
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      context.signal.throwIfAborted();
      bytes += (chunk as Buffer).length;
      if (bytes > limit) {
        const message = `${describe(spec)} is larger than the ${limit} bytes that are read.`;
        throw new RegistryError('InvalidData', message);
      }
      yield chunk as Buffer;
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === 'read'
      ? new RegistryError('FetchFailed', `${describe(spec)} cannot be read: ${(error as Error).message}.`, 'retry')
      : error;
  }
  context.progress(`read ${bytes} bytes`);
}

async function toFailure(error: NodeJS.ErrnoException, spec: PvcSpec, root: string): Promise<RegistryError> {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new RegistryError(
        'FileNotFound',
        `${describe(spec)} does not exist.${didYouMean(await nearFiles(spec, root))}`,
      );
    case 'ELOOP':
      return new RegistryError(
        'FileNotFound',
        `${describe(spec)} is a link that leads nowhere: put the file itself there.`,
      );
    case 'EACCES':
    case 'EPERM':
      return new RegistryError(
        'FetchFailed',
        `${describe(spec)} may not be read: allow its group to (chmod g+r), or set fsGroup.`,
      );
    default:
      return new RegistryError('FetchFailed', `${describe(spec)} cannot be opened: ${error.code}.`, 'retry', {
        cause: error,
      });
  }
}

/** Of the folder where the file should be and of the root; volumes may be too large to search. */
async function nearFiles({ path }: PvcSpec, root: string): Promise<string[]> {
  const folders = [...new Set([dirname(path), '.'])];
  const listings = await Promise.all(
    folders.map(async (folder) => {
      const real = await realpath(join(root, folder)).catch(() => undefined);
      const names = real && isInside(root, real) ? await readdir(real).catch(() => []) : [];
      return names.map((name) => join(folder, name));
    }),
  );
  return nearNames(
    path,
    listings.flat().filter((name) => name.endsWith('.json')),
  );
}

function isInside(root: string, real: string): boolean {
  return relative(root, real).split(sep)[0] !== '..';
}

function describe({ claimName, path }: PvcSpec): string {
  return `${path} on PersistentVolumeClaim ${claimName}`;
}
