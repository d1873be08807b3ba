import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { compareCodePoints } from '#domain/code-point-order.js';
import { RegistryError } from '#domain/registry-error.js';

/** Limits of a catalogue that consists of several files. */
export const BUNDLE_LIMITS = {
  files: 10_000,
  /** Maximum depth of folders below the given one. */
  depth: 16,
  /** Maximum number of directory entries that are examined to find the files. */
  names: 100_000,
  /** Maximum size of a file in bytes. Of a larger file, only the beginning is kept, to find its name. */
  fileBytes: 1024 * 1024,
  headBytes: 64 * 1024,
} as const;

/** One file of a catalogue that consists of several files: its content, or the reason why it has none. */
export type BundledFile = { readonly path: string } & (
  | { readonly content: Buffer }
  /** The beginning of a file that exceeds the size limit. */
  | { readonly head: Buffer }
  | { readonly fault: string }
);

/**
 * The beginning of a bundle. A bundle is one JSON object that contains each file as base64 text. It is read like a
 * catalogue: file by file, in a thread, and a file whose bytes are already stored does not have to be parsed.
 */
const BUNDLE_HEAD = '{"bundledFiles":{';

/** Returns whether a file that starts with these bytes is a bundle. */
export const isBundle = (head: Buffer): boolean =>
  head.subarray(0, BUNDLE_HEAD.length).toString('latin1') === BUNDLE_HEAD;

/**
 * Returns a digest of files, which must be in the order of their paths. If `target` is given, writes them to it as one
 * bundle. Throws a RegistryError `InvalidData` if they exceed `maxBytes`.
 */
export async function bundle(
  files: AsyncIterable<BundledFile>,
  { label, maxBytes, target }: { readonly label: string; readonly maxBytes: number; readonly target?: string },
): Promise<string> {
  await using file = target === undefined ? undefined : await open(target, 'w');
  const hash = createHash('sha256');
  let bytes = 0;
  await file?.write(BUNDLE_HEAD);
  for await (const each of files) {
    const member = `${bytes === 0 ? '' : ','}\n${JSON.stringify(each.path)}:${toJson(each)}`;
    bytes += Buffer.byteLength(member);
    if (bytes > maxBytes)
      throw new RegistryError('InvalidData', `The files of ${label} have more than ${maxBytes} bytes.`);
    hash.update(member);
    await file?.write(member);
  }
  await file?.write('}}\n');
  return hash.digest('hex');
}

function toJson(file: BundledFile): string {
  if ('content' in file) return JSON.stringify(file.content.toString('base64'));
  if ('head' in file) return JSON.stringify({ head: file.head.toString('base64') });
  return JSON.stringify({ fault: file.fault });
}

/** Returns the minimum number of bytes of files of these sizes in a bundle, where their content is in base64. */
export function bundledBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + 4 * Math.ceil(size / 3), 0);
}

/**
 * Sorts paths in the order of a bundle, which is the same on every machine. Throws a RegistryError `InvalidData` if
 * there are too many.
 */
export function inOrder(paths: readonly string[], label: string): string[] {
  if (paths.length > BUNDLE_LIMITS.files) throw tooMany(label, `${paths.length} files`, BUNDLE_LIMITS.files);
  return paths.toSorted(compareCodePoints);
}

export function tooMany(label: string, found: string, limit: number): RegistryError {
  return new RegistryError('InvalidData', `${label} has ${found}; at most ${limit} are read: name a smaller folder.`);
}

export function noFiles(label: string): RegistryError {
  const remedy = 'entries are read from files that end in .json, .yaml or .yml';
  return new RegistryError('FileNotFound', `${label} has no file with an entry: ${remedy}.`);
}
