import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { RegistryError } from '#domain/registry-error.js';
import { isBundle } from '../files/bundle.js';
import { bundledBytes, bundleLayout } from './bundle-layout.js';
import { CutFault, JsonCutter } from './json-cutter.js';
import type { Slice } from './json-cutter.js';
import { LAYOUTS } from './layouts.js';
import type { Document, FileFormat } from './layouts.js';
import { locateFault } from './locate-fault.js';
import { notJson } from './not-json.js';
import { readBlocks } from './read-blocks.js';
import { Reading } from './reading.js';
import { mismatch, recognizeOther } from './recognize.js';
import type { ReadItem } from './read-item.js';

export interface ReadOptions {
  /** How messages refer to the file, such as `registry.json at main@3f2c…`. */
  readonly file: string;
  readonly maxFileBytes: number;
  /**
   * Maximum size of an entry in bytes. The default is 1 MiB. The largest entry in public catalogues has about 40 kB.
   */
  readonly maxEntryBytes?: number;
  /**
   * Returns whether an entry with this hash (of {@link ReadItem}, as a latin1 string) is stored. Each can be claimed
   * only once.
   */
  readonly claimKnown?: (hash: string) => boolean;
  /** Maximum number of entries. The default is 250,000. Names are kept in memory to find duplicates. */
  readonly maxEntries?: number;
  /** The namespace that is added to names without a slash. */
  readonly defaultNamespace?: string | undefined;
  /** Whether an empty source is valid. */
  readonly mayBeEmpty?: boolean;
  /** Called with the part of the file around its entries, when the file is known to have the format. */
  readonly onDocument?: (document: Document) => void;
  /** Whether messages must not quote the file, because it may not be the intended one. */
  readonly hidesContent?: boolean;
}

const MAX_ENTRY_BYTES = 1024 * 1024;
const MAX_ENTRIES = 250_000;
/** Maximum nesting depth of objects and arrays within an entry. Real entries have about ten levels. */
const MAX_DEPTH = 64;

/**
 * Reads a catalogue file entry by entry, with only some entries and all names in memory. The entries in one block of
 * the file are yielded together. An invalid entry is quarantined. If the file itself is invalid, throws a RegistryError
 * `InvalidData` or `FormatMismatch`, possibly after some entries have been yielded, so nothing may be published before
 * the end.
 */
export async function* readCatalogue(
  path: string,
  format: FileFormat,
  options: ReadOptions,
): AsyncGenerator<readonly ReadItem[]> {
  // NONBLOCK, because opening a named pipe would otherwise wait for a writer that may never come.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const isBundled = await refuseOther(file, options);
  const { maxEntryBytes = MAX_ENTRY_BYTES, maxEntries = MAX_ENTRIES, defaultNamespace } = options;
  const limits = {
    maxEntryBytes,
    maxEntries,
    maxDepth: MAX_DEPTH,
    ...(defaultNamespace !== undefined && { defaultNamespace }),
  };
  const reading = new Reading(options.file, limits, options.claimKnown);
  const { sections, missing } = isBundled
    ? bundleLayout(format, { maxEntryBytes, maxDepth: MAX_DEPTH })
    : LAYOUTS[format];
  const maxValueBytes = isBundled ? bundledBytes(maxEntryBytes) : maxEntryBytes;
  try {
    for (const [index, section] of sections.entries()) {
      const cutter = new JsonCutter(section.root, { maxValueBytes, maxDepth: MAX_DEPTH });
      const document: Document = {
        outline: new Map(),
        values: new Map(),
        entered: cutter.entered,
        hidesContent: options.hidesContent ?? false,
      };
      for await (const slices of cut(file, cutter)) {
        const items: ReadItem[] = [];
        for (const slice of slices) {
          if (slice.container?.name === section.container) items.push(reading.read(section, slice));
          else if (index === 0) note(document, slice, options);
        }
        if (items.length > 0) yield items;
      }
      if (index > 0) continue;
      const lack = missing(document);
      if (lack) {
        const { outline } = document;
        throw mismatch(format, options.file, { outline, head: await headOf(file), missing: lack });
      }
      options.onDocument?.(document);
      // The file has none of the other sections, so it does not have to be read again.
      if (!sections.some(({ container }) => document.outline.has(container))) break;
    }
  } catch (error) {
    throw error instanceof CutFault ? await notJson(file, error, options) : error;
  }
  if (!options.mayBeEmpty) reading.end();
}

/** Number of bytes at the start of a file that are used to recognize another kind of document. */
const HEAD_BYTES = 64 * 1024;

async function headOf(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  return head.subarray(0, 3).equals(BYTE_ORDER_MARK) ? head.subarray(3) : head;
}

/** Throws if the file is not a catalogue. Returns whether it is a bundle of files. */
async function refuseOther(file: FileHandle, { file: name, maxFileBytes }: ReadOptions): Promise<boolean> {
  const stats = await file.stat();
  if (!stats.isFile()) throw new RegistryError('InvalidData', `${name} is not a regular file.`);
  const { size } = stats;
  if (size > maxFileBytes) {
    throw new RegistryError('InvalidData', `${name} has ${size} bytes; at most ${maxFileBytes} are read.`);
  }
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  if (isBundle(buffer)) return true;
  const other = recognizeOther(buffer.subarray(0, bytesRead));
  if (other) throw new RegistryError('InvalidData', `${name} ${other}.`);
  const first = buffer
    .subarray(0, bytesRead)
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart()[0];
  if (first === '[') {
    const remedy = 'a catalogue is an object: put the list under "data": {"servers": […]} and set format: upstream';
    throw new RegistryError('FormatMismatch', `${name} is a bare list; ${remedy}.`);
  }
  return false;
}

async function* cut(file: FileHandle, cutter: JsonCutter): AsyncGenerator<Slice[]> {
  let isFirst = true;
  for await (const block of readBlocks(file)) {
    // A byte order mark is useless in UTF-8, but some editors write it.
    if (isFirst && block.subarray(0, 3).equals(BYTE_ORDER_MARK)) block.fill(' ', 0, 3);
    isFirst = false;
    yield cutter.push(block);
  }
  cutter.end();
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

const WANTED_VALUES = new Set(['version', 'last_updated', 'meta']);
/** Maximum number of members of the document and of `data`. Real documents have about five. */
const MAX_MEMBERS = 1_000;

function note(document: Document, { container, key, opener, bytes, offset }: Slice, { file }: ReadOptions): void {
  const name = [container?.name, key].filter(Boolean).join('.');
  document.outline.set(name, opener);
  if (document.outline.size > MAX_MEMBERS) {
    throw new RegistryError('InvalidData', `${file} has more than ${MAX_MEMBERS} fields around its entries.`);
  }
  if (bytes === undefined) return;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    if (WANTED_VALUES.has(name)) document.values.set(name, value);
  } catch {
    throw locateFault(bytes, offset) ?? new CutFault('a value is not valid JSON', offset);
  }
}
