import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { compareCodePoints } from '#domain/code-point-order.js';
import { RegistryError } from '#domain/registry-error.js';

/** Limits of a catalogue that is spread over files. */
export const BUNDLE_LIMITS = {
  files: 10_000,
  /** Folders below the one that is named. */
  depth: 16,
  /** Names that are looked at to find the files. */
  names: 100_000,
  /** The bytes of one file; the beginning of a larger one is kept, to tell what it is called. */
  fileBytes: 1024 * 1024,
  headBytes: 64 * 1024,
} as const;

/** One file of a catalogue that is spread over files: its content, or why it has none. */
export type BundledFile = { readonly path: string } & (
  | { readonly content: Buffer }
  /** It has more bytes than are read. */
  | { readonly head: Buffer }
  | { readonly fault: string }
);

/**
 * What a bundle begins with. A bundle is one JSON object that holds each file as text in base64, so that it is read like a catalogue: file by
 * file, in a thread, and a file whose bytes are stored already is not even parsed.
 */
const BUNDLE_HEAD = '{"bundledFiles":{';

/** Reports whether a file that begins like this is a bundle. */
export const isBundle = (head: Buffer): boolean =>
  head.subarray(0, BUNDLE_HEAD.length).toString('latin1') === BUNDLE_HEAD;

/**
 * Returns a digest of files, which must come in the order of their paths, and writes them to `target` as one if that is given. Throws a
 * RegistryError `InvalidData` beyond `maxBytes`.
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

/** Returns paths in the order of a bundle, which is the same on every machine. Throws a RegistryError `InvalidData` for too many. */
export function inOrder(paths: readonly string[], label: string): string[] {
  if (paths.length > BUNDLE_LIMITS.files) throw tooMany(label, `${paths.length} files`, BUNDLE_LIMITS.files);
  return paths.toSorted(compareCodePoints);
}

export function tooMany(label: string, found: string, limit: number): RegistryError {
  return new RegistryError('InvalidData', `${label} has ${found}; at most ${limit} are read: name a smaller folder.`);
}

export function noFiles(label: string): RegistryError {
  const remedy = 'an entry stands in a file that ends in .json, .yaml or .yml';
  return new RegistryError('FileNotFound', `${label} has no file with an entry: ${remedy}.`);
}
