import { ValueReader } from './value-reader.js';
import type { CutLimits, ValueText } from './value-reader.js';

/**
 * Cuts a JSON document into the values that are parsed one by one, so that a file of any size needs only the memory of
 * one entry. The structure around these values is checked here; each value itself is checked by the code that parses
 * it.
 */

/** An object or array whose members are cut out separately, instead of being one value. */
export interface Container {
  /** The name for slices and error messages. Empty for the document itself. */
  readonly name: string;
  readonly opener: '{' | '[';
  /** Returns the container for a member that is a container itself, given its name or index and its first character. */
  inside?(key: string | number, opener: string): Container | undefined;
  /**
   * Whether the members are entries. If so, a repeated member is reported as a duplicate entry. Otherwise it is an
   * error of the file.
   */
  readonly holdsEntries?: boolean;
}

/** One value that was cut out of a document. */
export interface Slice extends ValueText {
  /** The container of the value. Undefined if the value is the whole document. */
  readonly container: Container | undefined;
  /** Name of the member, or its index in an array. */
  readonly key: string | number;
  readonly isDuplicate: boolean;
}

/** Thrown if the document is not JSON, or if a member that must be unique occurs twice. */
export class CutFault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'CutFault';
    this.offset = offset;
  }
}

interface Frame {
  readonly container: Container;
  readonly keys: Set<string>;
  count: number;
  key: string | number;
  isDuplicate: boolean;
}

/** The tokens that may come next between two values. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;

export class JsonCutter {
  /** Names of the containers that were found, including empty ones. */
  readonly entered = new Set<string>();

  readonly #root: Container;
  readonly #reader: ValueReader;
  readonly #frames: Frame[] = [];
  #expected: Expected = 'value';
  /** Whether the value that is being read is a property name. */
  #isKey = false;
  /** Offset of the chunk's first byte. */
  #base = 0;
  #slices: Slice[] = [];

  constructor(root: Container, limits: CutLimits) {
    this.#root = root;
    this.#reader = new ValueReader(limits);
  }

  /** Processes the next bytes of the file and returns the values that end in them. Throws a CutFault. */
  push(chunk: Buffer): Slice[] {
    this.#slices = [];
    const reader = this.#reader;
    let at = 0;
    while (at < chunk.length) at = reader.isReading ? this.#readOn(chunk, at) : this.#between(chunk, at);
    if (reader.isReading) reader.keep(chunk, this.#base);
    this.#base += chunk.length;
    return this.#slices;
  }

  /** Throws a CutFault if the file is truncated. */
  end(): void {
    if (this.#expected !== 'nothing') throw new CutFault('the file ends too early', this.#base);
  }

  /** Processes one byte between two values. */
  #between(chunk: Buffer, at: number): number {
    const byte = chunk[at] as number;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1;
    const frame = this.#frames.at(-1);
    switch (this.#expected) {
      case 'value or ]':
        if (byte === CLOSE_BRACKET) return this.#leave(at);
        return this.#beginValue(byte, at);
      case 'value':
        return this.#beginValue(byte, at);
      case 'key or }':
        if (byte === CLOSE_BRACE) return this.#leave(at);
        return this.#beginKey(byte, at);
      case 'key':
        return this.#beginKey(byte, at);
      case ':':
        if (byte !== COLON) throw this.#unexpected(byte, at, '":"');
        this.#expected = 'value';
        return at + 1;
      case ', or end': {
        const isArray = frame?.container.opener === '[';
        if (byte === (isArray ? CLOSE_BRACKET : CLOSE_BRACE)) return this.#leave(at);
        if (byte !== COMMA) throw this.#unexpected(byte, at, isArray ? '"," or "]"' : '"," or "}"');
        this.#expected = isArray ? 'value' : 'key';
        return at + 1;
      }
      case 'nothing':
        throw this.#unexpected(byte, at, 'the end of the file');
    }
  }

  #beginValue(byte: number, at: number): number {
    const container = this.#containerAt(String.fromCharCode(byte));
    if (container) return this.#enter(container, at);
    if (!this.#reader.begin(byte, this.#base + at)) throw this.#unexpected(byte, at, 'a value');
    this.#isKey = false;
    return at + 1;
  }

  #beginKey(byte: number, at: number): number {
    if (byte !== QUOTE) throw this.#unexpected(byte, at, 'a name in double quotes');
    this.#reader.begin(byte, this.#base + at);
    this.#isKey = true;
    return at + 1;
  }

  #containerAt(opener: string): Container | undefined {
    const frame = this.#frames.at(-1);
    const container = frame ? frame.container.inside?.(frame.key, opener) : this.#root;
    return container?.opener === opener ? container : undefined;
  }

  #enter(container: Container, at: number): number {
    this.entered.add(container.name);
    this.#frames.push({ container, keys: new Set(), count: 0, key: 0, isDuplicate: false });
    this.#expected = container.opener === '[' ? 'value or ]' : 'key or }';
    return at + 1;
  }

  #leave(at: number): number {
    this.#frames.pop();
    this.#afterValue();
    return at + 1;
  }

  #afterValue(): void {
    const frame = this.#frames.at(-1);
    if (frame) {
      frame.count++;
      if (frame.container.opener === '[') frame.key = frame.count;
    }
    this.#expected = frame ? ', or end' : 'nothing';
  }

  /** Continues to the end of the value or of the chunk. */
  #readOn(chunk: Buffer, from: number): number {
    const end = this.#reader.findEnd(chunk, from);
    if (end === undefined) return chunk.length;
    const value = this.#reader.take(chunk, this.#base, end);
    if (this.#isKey) this.#nameMember(value);
    else this.#addSlice(value);
    return end;
  }

  #addSlice(value: ValueText): void {
    const frame = this.#frames.at(-1);
    this.#slices.push({
      ...value,
      container: frame?.container,
      key: frame?.key ?? '',
      isDuplicate: frame?.isDuplicate ?? false,
    });
    this.#afterValue();
  }

  #nameMember({ bytes, offset }: ValueText): void {
    const frame = this.#frames.at(-1) as Frame;
    if (!bytes) throw new CutFault('a name is too long', offset);
    let key: string;
    try {
      key = JSON.parse(UTF8.decode(bytes)) as string;
    } catch {
      throw new CutFault('a name is not valid JSON text in UTF-8', offset);
    }
    frame.isDuplicate = frame.keys.has(key);
    if (frame.isDuplicate && !frame.container.holdsEntries) throw new CutFault(`"${key}" occurs twice`, offset);
    frame.keys.add(key);
    frame.key = key;
    this.#expected = ':';
  }

  #unexpected(byte: number, at: number, wanted: string): CutFault {
    const found = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : 'another character';
    return new CutFault(`expected ${wanted}, but found ${found}`, this.#base + at);
  }
}
