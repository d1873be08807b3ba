import { isFields } from '#domain/fields.js';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { parseConfigYaml, YAML_LIMIT } from '../yaml/config-yaml.js';
import { qualifyName, toQualifiedEntry } from './default-namespace.js';
import { EntryFault } from './entry-fault.js';
import { parseEntry } from './entry-text.js';
import type { EntryText } from './entry-text.js';
import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container, Slice } from './json-cutter.js';
import type { FileFormat, Layout } from './layouts.js';
import { locateFault } from './locate-fault.js';
import { readIdentity } from './read-identity.js';
import type { Identity } from './read-identity.js';
import { shown } from './shown-text.js';
import { convertRemote, convertServer, servedName } from './toolhive.js';

const FILES: Container = { name: 'bundledFiles', opener: '{', holdsEntries: true };
const ROOT: Container = { name: '', opener: '{', inside: (key) => (key === FILES.name ? FILES : undefined) };

/** A container for the value of a file, which may be of any type. */
const WHOLE: Container = { name: 'file', opener: '[', holdsEntries: true };

/**
 * Returns the layout of a bundle of files (see `files/bundle.ts`), in which each file is one entry of this format and
 * its path is the key.
 */
export function bundleLayout(
  format: FileFormat,
  limits: { readonly maxEntryBytes: number; readonly maxDepth: number },
): Layout {
  const [convert, identify] =
    format === 'toolhive' ? [convertToolhive, identifyToolhive] : [convertUpstream, identifyUpstream];
  const parseYaml = rememberLast(parseYamlFile);
  return {
    sections: [
      {
        container: FILES.name,
        root: ROOT,
        holdsFiles: true,
        convert: ({ key }, { value }, namespace) => {
          const path = String(key);
          if (typeof value !== 'string') throw new EntryFault([], faultOf(value, limits.maxEntryBytes));
          const entry = convert(path, parseFile(path, value, limits, parseYaml), namespace);
          return { ...entry, key: shown(path) };
        },
        identify: (slice, namespace) => identify(slice, readFileIdentity(slice, parseYaml), namespace),
      },
    ],
    missing: () => undefined,
  };
}

/** Returns the maximum size in a bundle of a file of this size. */
export const bundledBytes = (fileBytes: number): number => Math.ceil(fileBytes / 3) * 4 + 1024;

function convertUpstream(_path: string, entry: EntryText, namespace?: string): CatalogueEntry {
  return toQualifiedEntry(entry, namespace);
}

/**
 * Converts an entry of a ToolHive file. ToolHive has separate maps for container and remote servers; here, the fields
 * of the entry tell them apart.
 */
function convertToolhive(path: string, { value }: EntryText, namespace?: string): CatalogueEntry {
  const isRemote = isFields(value) && 'url' in value && !('image' in value);
  return isRemote ? convertRemote(keyOf(path), value, namespace) : convertServer(keyOf(path), value, namespace);
}

/** Generic file names, which do not identify a server. The name of the folder is used instead. */
const GENERIC = new Set(['server', 'spec', 'registry', 'entry', 'index']);

/** Returns the key that the entry of a file would have in a ToolHive map: the name of the file or of its folder. */
function keyOf(path: string): string {
  const [file = '', folder] = path.split('/').toReversed();
  const name = file.replace(/\.\w+$/, '');
  return GENERIC.has(name) && folder !== undefined ? folder : name;
}

/** The content of a YAML file converted to JSON, or a description of the error. */
type ParsedYaml = { readonly json: Buffer } | { readonly fault: string };

/** Parses the content of a YAML file, given in base64. */
type YamlParser = (content: string) => ParsedYaml;

function parseFile(
  path: string,
  content: string,
  limits: { readonly maxEntryBytes: number; readonly maxDepth: number },
  parseYaml: YamlParser,
): EntryText {
  if (isJson(path)) return parseJson(Buffer.from(content, 'base64'), limits);
  const parsed = parseYaml(content);
  if ('fault' in parsed) throw new EntryFault([], parsed.fault);
  return parseJson(parsed.json, limits);
}

function parseYamlFile(content: string): ParsedYaml {
  const bytes = Buffer.from(content, 'base64');
  if (bytes.length > YAML_LIMIT) {
    return { fault: `has ${bytes.length} bytes, and at most ${YAML_LIMIT} are read of YAML: store it as JSON` };
  }
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) return { fault: 'is not UTF-8: save the file in that encoding' };
  const parsed = parseConfigYaml(text.replace(/^\ufeff/, ''));
  if (!('faults' in parsed)) return { json: Buffer.from(JSON.stringify(parsed.content) ?? 'null') };
  const faults = parsed.faults.slice(0, 3).map(({ line, message }) => `line ${line}: ${message}`);
  return { fault: faults.join('; ') };
}

/** Caches the last result, because an invalid file is parsed a second time to find its name. */
function rememberLast(parse: YamlParser): YamlParser {
  let last: { readonly content: string; readonly parsed: ParsedYaml } | undefined;
  return (content) => {
    if (last?.content !== content) last = { content, parsed: parse(content) };
    return last.parsed;
  };
}

function parseJson(
  given: Buffer,
  { maxEntryBytes, maxDepth }: { readonly maxEntryBytes: number; readonly maxDepth: number },
): EntryText {
  const bytes = withoutMark(given);
  try {
    const [slice, ...others] = cutWhole(bytes, { maxValueBytes: maxEntryBytes, maxDepth });
    if (!slice) throw new EntryFault([], 'is empty: a file holds one server');
    if (others.length > 0) throw new CutFault('a second value follows', (others[0] as Slice).offset);
    if (slice.opener === '[') throw new EntryFault([], 'is a list: a file of a directory holds one server');
    if (!slice.bytes) throw new EntryFault([], `is nested deeper than ${maxDepth} levels`);
    return parseSlice(slice.bytes, slice);
  } catch (error) {
    throw error instanceof CutFault ? new EntryFault([], notJson(bytes, error)) : error;
  }
}

const isJson = (path: string): boolean => /\.json$/i.test(path);

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(BYTE_ORDER_MARK) ? bytes.subarray(3) : bytes;
}

const OPEN = Buffer.from('[');
const CLOSE = Buffer.from('\n]');

function cutWhole(bytes: Buffer, limits: { readonly maxValueBytes: number; readonly maxDepth: number }): Slice[] {
  const cutter = new JsonCutter(WHOLE, limits);
  const slices = cutter.push(Buffer.concat([OPEN, bytes, CLOSE]));
  cutter.end();
  return slices;
}

function parseSlice(bytes: Uint8Array, { colons, hasBlanks, offset }: Slice): EntryText {
  try {
    return parseEntry({ bytes, colons, hasBlanks });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw locateFault(bytes, offset) ?? new CutFault('an entry is not valid JSON', offset);
  }
}

/**
 * Describes the position of the error without quoting the file, because a path may lead to a file that is not a
 * catalogue.
 */
function notJson(bytes: Buffer, { offset }: CutFault): string {
  // `cutWhole` puts a `[` before the content, so offsets are one too high.
  const before = bytes
    .subarray(0, Math.max(0, offset - 1))
    .toString('utf8')
    .split('\n');
  return `is not valid JSON: line ${before.length}, column ${Array.from(before.at(-1) ?? '').length + 1}`;
}

function faultOf(value: unknown, maxEntryBytes: number): string {
  const { fault } = value as { readonly fault?: unknown };
  return typeof fault === 'string' ? fault : `has more than ${maxEntryBytes} bytes`;
}

function identifyUpstream(_slice: Slice, identity: Identity, namespace?: string): Identity {
  return identity.name === undefined ? identity : { ...identity, name: qualifyName(identity.name, namespace) };
}

/** Returns the identity of a ToolHive entry, whose name may be only that of its file. */
function identifyToolhive({ key }: Slice, { name }: Identity, namespace?: string): Identity {
  return { name: servedName(name, keyOf(String(key)), namespace) };
}

/** Reads the identity of an entry from its file, or from the beginning of a large JSON file. */
function readFileIdentity({ key, bytes }: Slice, parseYaml: YamlParser): Identity {
  if (!bytes) return {};
  const value: unknown = JSON.parse(Buffer.from(bytes).toString());
  const content = typeof value === 'string' ? value : (value as { readonly head?: unknown }).head;
  if (typeof content !== 'string') return {};
  if (isJson(String(key))) return readIdentity(withoutMark(Buffer.from(content, 'base64')));
  // The beginning of a YAML file cannot be used.
  const parsed = typeof value === 'string' ? parseYaml(content) : undefined;
  return parsed && 'json' in parsed ? readIdentity(parsed.json) : {};
}
