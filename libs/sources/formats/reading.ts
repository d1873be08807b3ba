import { hash } from 'node:crypto';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { NothingServable } from '#domain/nothing-servable.js';
import { RegistryError } from '#domain/registry-error.js';
import { qualifyName } from './default-namespace.js';
import { EntryFault } from './entry-fault.js';
import { parseEntry } from './entry-text.js';
import type { EntryText } from './entry-text.js';
import { CutFault } from './json-cutter.js';
import type { Slice } from './json-cutter.js';
import type { Section } from './layouts.js';
import { locateFault } from './locate-fault.js';
import type { ReadItem } from './read-item.js';
import { readIdentity } from './read-identity.js';
import type { Identity } from './read-identity.js';
import { SHOWN_LIMIT, shown, storable } from './shown-text.js';
import { withinSearchableText } from './searchable-text.js';

export interface ReadingLimits {
  readonly maxEntryBytes: number;
  readonly maxEntries: number;
  /** Maximum nesting depth of objects and arrays within an entry. */
  readonly maxDepth: number;
  /** The namespace that is added to names without a slash. If absent, entries with such names are quarantined. */
  readonly defaultNamespace?: string;
}

/** The state of reading a file: what is known about its entries so far. */
export class Reading {
  readonly #file: string;
  readonly #limits: ReadingLimits;
  /** Names and versions of the entries that have been returned. */
  readonly #given = new Set<string>();
  #count = 0;
  #known = 0;
  readonly #firstFaults: QuarantinedEntry[] = [];
  readonly #claimKnown: (hash: string) => boolean;

  constructor(file: string, limits: ReadingLimits, claimKnown: (hash: string) => boolean = () => false) {
    this.#file = file;
    this.#limits = limits;
    this.#claimKnown = claimKnown;
  }

  read(section: Section, slice: Slice): ReadItem {
    const { maxEntries } = this.#limits;
    if (++this.#count > maxEntries) {
      throw new RegistryError('InvalidData', `${this.#file} has more than ${maxEntries} entries: split it.`);
    }
    const digest = hashOf(section, slice);
    if (digest && !section.isReadWhole && this.#claimKnown(digest)) {
      this.#known++;
      return { known: true };
    }
    let known: Identity | undefined;
    try {
      checkKey(slice.key);
      const entry = section.convert(slice, this.#parse(slice), this.#limits.defaultNamespace);
      known = entry;
      withinSearchableText(entry);
      const identity = `${entry.name}\n${entry.version}`;
      if (this.#given.has(identity)) {
        throw new EntryFault(
          [],
          `is a duplicate: an earlier entry has the same name and version (${entry.name} ${entry.version})`,
        );
      }
      this.#given.add(identity);
      return { entry, hash: Buffer.from(digest ?? '', 'latin1') };
    } catch (error) {
      if (!(error instanceof EntryFault)) throw error;
      const identity = known ?? this.#identify(section, slice);
      const quarantined = toQuarantined(section, slice, identity, error);
      if (this.#firstFaults.length < 3) this.#firstFaults.push(quarantined);
      return { quarantined, offset: slice.offset, length: slice.bytes?.length ?? 0 };
    }
  }

  /** Throws if the file has no entry that can be served. */
  end(): void {
    if (this.#given.size + this.#known > 0) return;
    const file = this.#file;
    if (this.#count === 0) throw new RegistryError('InvalidData', `${file} holds no servers.`);
    throw new NothingServable(file, this.#firstFaults, this.#count);
  }

  /** Returns the identity of an invalid entry in the form in which its last good version is stored. */
  #identify({ identify }: Section, slice: Slice): Identity {
    const { defaultNamespace } = this.#limits;
    if (identify) return identify(slice, defaultNamespace);
    const text = slice.bytes ?? slice.head;
    const identity = text ? readIdentity(text) : {};
    return identity.name === undefined ? identity : { ...identity, name: qualifyName(identity.name, defaultNamespace) };
  }

  #parse({ bytes, excess, isDuplicate, offset, colons, hasBlanks }: Slice): EntryText {
    if (isDuplicate) throw new EntryFault([], 'is a duplicate: the first entry of this name is used');
    if (!bytes) {
      const { maxDepth, maxEntryBytes } = this.#limits;
      const why =
        excess === 'depth' ? `is nested deeper than ${maxDepth} levels` : `has more than ${maxEntryBytes} bytes`;
      throw new EntryFault([], why);
    }
    try {
      return parseEntry({ bytes, colons, hasBlanks });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw locateFault(bytes, offset) ?? new CutFault('an entry is not valid JSON', offset);
    }
  }
}

/**
 * Version of the reader. Must be incremented whenever the same bytes would give a different entry, because of another
 * schema or another conversion, so that stored entries are read again.
 */
export const READER_VERSION = 8;

/** Returns the hash of an entry, or undefined if the value cannot be a valid entry. */
function hashOf({ container }: Section, { key, bytes, isDuplicate }: Slice): string | undefined {
  if (!bytes || isDuplicate) return undefined;
  // The position of an entry in a list does not matter, but in a map, its key is part of the entry.
  const whole = typeof key === 'string' ? Buffer.concat([Buffer.from(`${container}.${key}\n`), bytes]) : bytes;
  return hash('sha256', whole, 'binary');
}

function checkKey(key: string | number): void {
  if (typeof key === 'number') return;
  if (key.length > SHOWN_LIMIT) throw new EntryFault([], `has a key of more than ${SHOWN_LIMIT} characters`);
  if (/\0/.test(key) || !key.isWellFormed()) throw new EntryFault([], 'has a key that is not valid text');
}

/** Number of characters of a description that are compared with stored entries. */
export const COMPARED_DESCRIPTION = 1_000;

function toQuarantined(
  section: Section,
  slice: Slice,
  { name, version, description }: Identity,
  { path, message }: EntryFault,
): QuarantinedEntry {
  const place = typeof slice.key === 'number' ? `${section.container}[${slice.key}]` : slice.key;
  return {
    key: shown(typeof slice.key === 'number' && name ? name : place),
    name: name && shown(name),
    version: version && shown(version),
    path: shown(path),
    message: shownMessage(message),
    ...(section.holdsFiles && { isFile: true }),
    ...(description && { description: copy(storable(description.slice(0, COMPARED_DESCRIPTION))) }),
  };
}

/** Returns a message in a form that can be stored. A message may contain names of fields, which can be any string. */
function shownMessage(message: string): string {
  return storable(message).slice(0, MESSAGE_LIMIT);
}

const MESSAGE_LIMIT = 2_000;

/** Copies a string. A slice would retain the whole string from which it was cut. */
function copy(text: string): string {
  return Buffer.from(text).toString();
}
