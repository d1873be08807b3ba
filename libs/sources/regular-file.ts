import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { open, readlink, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { RegistryError } from '#domain/registry-error.js';
import type { SourceContext } from './context.js';

/** A registry file in the file system of this process: on a volume, or wherever its configuration says. */
export interface RegularFile {
  /** How messages name it. */
  readonly name: string;
  /** The field that says where it is. */
  readonly setting: string;
  /** Its path without links. May throw a RegistryError, or what the file system says. */
  locate(): Promise<string>;
  /** What a message adds when the file is not there. */
  suggest(): Promise<string>;
}

/** The sha256 of its bytes is its revision: time stamps of network volumes lie. */
export async function hashFile(file: RegularFile, context: SourceContext): Promise<string> {
  await using handle = await openFile(file);
  const hash = createHash('sha256');
  for await (const chunk of chunks(handle, file, context)) hash.update(chunk);
  return hash.digest('hex');
}

/** Throws `FetchFailed` when the file is no longer of that revision. */
export async function copyFile(
  file: RegularFile,
  { revision, to }: { readonly revision: string; readonly to: string },
  context: SourceContext,
): Promise<void> {
  await using handle = await openFile(file);
  const hash = createHash('sha256');
  const hashed = async function* () {
    for await (const chunk of chunks(handle, file, context)) {
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(hashed, createWriteStream(to), { signal: context.signal });
  if (hash.digest('hex') !== revision) {
    throw new RegistryError('FetchFailed', `${file.name} was changed while it was read.`, 'retry');
  }
}

/** Reads a file of at most `limit` bytes, or the first `headBytes` of a larger one. */
export async function readWhole(
  file: RegularFile,
  { limit, headBytes }: { readonly limit: number; readonly headBytes: number },
): Promise<{ readonly content: Buffer } | { readonly head: Buffer }> {
  await using handle = await openFile(file);
  const { size } = await handle.stat();
  const bytes = await readFully(handle, Buffer.alloc(Math.min(size, limit) + 1));
  return bytes.length > limit ? { head: bytes.subarray(0, headBytes) } : { content: bytes };
}

/** Fills the buffer from the beginning of a file, or up to its end: network volumes give less at once than is asked for. */
export async function readFully(file: Pick<FileHandle, 'read'>, buffer: Buffer): Promise<Buffer> {
  let length = 0;
  for (let bytesRead = -1; length < buffer.length && bytesRead !== 0; length += bytesRead) {
    ({ bytesRead } = await file.read(buffer, length, buffer.length - length, length));
  }
  return buffer.subarray(0, length);
}

async function openFile(file: RegularFile): Promise<FileHandle> {
  try {
    // NONBLOCK: opening a pipe would wait for a writer that never comes.
    const path = await file.locate();
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const isFile = (await handle.stat()).isFile();
    if (isFile && (await isAt(handle, path, file))) return handle;
    await handle.close();
    throw isFile
      ? new RegistryError('FetchFailed', `${file.name} was moved while it was opened.`, 'retry')
      : new RegistryError('FileNotFound', `${file.name} is not a regular file: set ${file.setting} to one.`);
  } catch (error) {
    throw error instanceof RegistryError ? error : await toFailure(error as NodeJS.ErrnoException, file);
  }
}

/**
 * Whether the open file is the one that was located: between the two, a process that may write to the volume could put a link in place of a
 * folder. Linux knows the path of an open file; elsewhere the path must lead to the same file once more.
 */
async function isAt(handle: FileHandle, path: string, file: RegularFile): Promise<boolean> {
  if (process.platform === 'linux') return (await readlink(`/proc/self/fd/${handle.fd}`)) === path;
  const [opened, located] = await Promise.all([handle.stat(), stat(await file.locate())]);
  return opened.dev === located.dev && opened.ino === located.ino;
}

async function* chunks(handle: FileHandle, file: RegularFile, context: SourceContext): AsyncGenerator<Buffer> {
  const limit = context.settings.maxFileBytes;
  let bytes = 0;
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      context.signal.throwIfAborted();
      bytes += (chunk as Buffer).length;
      if (bytes > limit) {
        throw new RegistryError('InvalidData', `${file.name} is larger than the ${limit} bytes that are read.`);
      }
      yield chunk as Buffer;
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === 'read'
      ? new RegistryError('FetchFailed', `${file.name} cannot be read: ${(error as Error).message}.`, 'retry')
      : error;
  }
  context.progress(`read ${bytes} bytes`);
}

async function toFailure(error: NodeJS.ErrnoException, file: RegularFile): Promise<RegistryError> {
  switch (error.code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new RegistryError('FileNotFound', `${file.name} does not exist.${await file.suggest()}`);
    case 'ELOOP':
      return new RegistryError('FileNotFound', `${file.name} is a link that leads nowhere: put the file itself there.`);
    case 'EACCES':
    case 'EPERM':
      return new RegistryError(
        'FetchFailed',
        `${file.name} may not be read: allow its group to (chmod g+r), or set fsGroup.`,
      );
    default:
      return new RegistryError('FetchFailed', `${file.name} cannot be opened: ${error.code}.`, 'retry', {
        cause: error,
      });
  }
}
