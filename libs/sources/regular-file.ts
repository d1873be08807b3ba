import { createHash } from 'node:crypto';
import { constants, createWriteStream } from 'node:fs';
import { lstat, open, readlink, realpath, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RegistryError } from '#domain/registry-error.js';
import type { SourceContext } from './context.js';

/** A registry file in the file system of this process, on a volume or at a configured path. */
export interface RegularFile {
  /** How messages refer to the source. */
  readonly name: string;
  /** Name of the field that specifies the path. */
  readonly setting: string;
  /** Returns the path of the file with symlinks resolved. May throw a RegistryError or an error of the file system. */
  locate(): Promise<string>;
  /** Returns a hint to add to the message if the file does not exist. */
  suggest(): Promise<string>;
}

/**
 * Resolves the symlinks of a path. If one of them is dangling, as happens before a mount has its first version, throws
 * a RegistryError `FileNotFound` that calls the file `name`. Otherwise throws the error of the file system.
 */
export async function followLinks(path: string, name: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const dead = await findDeadLink(path);
    if (dead === undefined) throw error;
    const what = dead === path ? 'is' : `lies behind "${basename(dead)}",`;
    const message = `${name} ${what} a broken link: replace it with the file itself.`;
    throw new RegistryError('FileNotFound', message, 'wait', { cause: error });
  }
}

/** Returns the part of an absolute path that is a dangling symlink. */
async function findDeadLink(path: string): Promise<string | undefined> {
  const parent = dirname(path);
  const above = parent === path ? undefined : await findDeadLink(parent);
  if (above !== undefined) return above;
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  if (!isLink) return undefined;
  return realpath(path).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' || error.code === 'ENOTDIR' ? path : undefined),
  );
}

/**
 * Returns the revision of a file, which is the SHA-256 of its bytes. Timestamps are not used, because those of network
 * volumes are unreliable.
 */
export async function hashFile(file: RegularFile, context: SourceContext): Promise<string> {
  await using handle = await openFile(file);
  const hash = createHash('sha256');
  for await (const chunk of chunks(handle, file, context)) hash.update(chunk);
  return hash.digest('hex');
}

/** Copies a revision of a file. Throws `FetchFailed` if the file no longer has that revision. */
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
    throw new RegistryError('FetchFailed', `${file.name} changed while it was being read.`, 'retry');
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

/**
 * Reads from the beginning of a file until the buffer is full or the file ends. Repeats the read, because network
 * volumes may return fewer bytes than requested.
 */
export async function readFully(file: Pick<FileHandle, 'read'>, buffer: Buffer): Promise<Buffer> {
  let length = 0;
  for (let bytesRead = -1; length < buffer.length && bytesRead !== 0; length += bytesRead) {
    ({ bytesRead } = await file.read(buffer, length, buffer.length - length, length));
  }
  return buffer.subarray(0, length);
}

async function openFile(file: RegularFile): Promise<FileHandle> {
  try {
    // NONBLOCK, because opening a pipe would otherwise wait for a writer that never comes.
    const path = await file.locate();
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const isFile = (await handle.stat()).isFile();
    if (isFile && (await isAt(handle, path, file))) return handle;
    await handle.close();
    throw isFile
      ? new RegistryError('FetchFailed', `${file.name} was moved while it was being opened.`, 'retry')
      : new RegistryError('FileNotFound', `${file.name} is not a regular file: set ${file.setting} to one.`);
  } catch (error) {
    throw error instanceof RegistryError ? error : await toFailure(error as NodeJS.ErrnoException, file);
  }
}

/**
 * Returns whether the open file is the one that was located. In between, a process that can write to the volume could
 * replace a folder by a symlink. Linux reports the path of an open file; on other systems, the path must lead to the
 * same file again.
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
      return new RegistryError('FileNotFound', `${file.name} is a broken link: replace it with the file itself.`);
    case 'EACCES':
    case 'EPERM':
      return new RegistryError(
        'FetchFailed',
        `${file.name} may not be read: allow its group to read it (chmod g+r), or set fsGroup.`,
      );
    default:
      return new RegistryError('FetchFailed', `${file.name} cannot be opened: ${error.code}.`, 'retry', {
        cause: error,
      });
  }
}
