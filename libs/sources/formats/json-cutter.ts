/**
 * Cuts a JSON document into the values worth parsing one by one, so that a file of any size needs the memory of one entry. It checks the
 * structure around those values; each value itself is checked by the code that parses it.
 */

/** An object or array whose members are cut out instead of being one value. */
export interface Container {
  /** How slices and faults name it; empty for the document itself. */
  readonly name: string;
  readonly opener: '{' | '[';
  /** The members that are containers themselves, by name or index and first character. */
  inside?(key: string | number, opener: string): Container | undefined;
  /** Its members are entries: one that stands there twice is told as a duplicate. Elsewhere it is a fault of the file. */
  readonly holdsEntries?: boolean;
}

/** One value. */
export interface Slice {
  /** Undefined when the value is the whole document. */
  readonly container: Container | undefined;
  /** The member's name, or its index in an array. */
  readonly key: string | number;
  readonly isDuplicate: boolean;
  /** Where the value begins, in bytes from the start of the file. */
  readonly offset: number;
  /** Its first character, which tells its type. */
  readonly opener: string;
  /** Its bytes, valid until the next `push`; undefined when `excess` says why they were not kept. */
  readonly bytes: Uint8Array | undefined;
  readonly excess: 'size' | 'depth' | undefined;
  /** Where `excess` says why `bytes` is missing: the first 64 KiB of the value, to tell what it is called. */
  readonly head: Uint8Array | undefined;
  /** How many colons stand outside of strings: one for each member of each object. */
  readonly colons: number;
  /** Whether blanks or line breaks stand outside of strings. */
  readonly hasBlanks: boolean;
}

export interface CutLimits {
  /** Size limit of one value, and of a member's name. */
  readonly maxValueBytes: number;
  /** Nesting limit of objects and arrays inside one value. */
  readonly maxDepth: number;
}

/** The document is not JSON, or a member that must be unique is there twice. */
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

/** What may come next between two values. */
type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

const HEAD_BYTES = 64 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** The bit in which a bracket differs from its brace. */
const BRACKET_OR_BRACE = 0x20;

export class JsonCutter {
  /** Names of the containers that were found, empty ones included. */
  readonly entered = new Set<string>();

  readonly #root: Container;
  readonly #limits: CutLimits;
  readonly #frames: Frame[] = [];
  #expected: Expected = 'value';
  /** Offset of the chunk's first byte. */
  #base = 0;
  #slices: Slice[] = [];

  // The value or name that is being read, which may begin in an earlier chunk.
  #reading: 'nested' | 'string' | 'scalar' | undefined;
  #isKey = false;
  #start = 0;
  #opener = '';
  #depth = 0;
  #inString = false;
  #escaped = false;
  #excess: Slice['excess'];
  #colons = 0;
  #hasBlanks = false;
  #earlier: Buffer[] = [];
  #earlierBytes = 0;
  #head: Buffer | undefined;

  constructor(root: Container, limits: CutLimits) {
    this.#root = root;
    this.#limits = limits;
  }

  /** Takes the next bytes of the file and gives the values that end in them. Throws a CutFault. */
  push(chunk: Buffer): Slice[] {
    this.#slices = [];
    let at = 0;
    while (at < chunk.length) at = this.#reading ? this.#readOn(chunk, at) : this.#between(chunk, at);
    if (this.#reading) this.#keep(chunk.subarray(Math.max(0, this.#start - this.#base)));
    this.#base += chunk.length;
    return this.#slices;
  }

  /** Throws a CutFault when the file ends too early. */
  end(): void {
    if (this.#expected !== 'nothing') throw new CutFault('the file ends too early', this.#base);
  }

  /** One byte of structure. */
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
    const isNested = byte === OPEN_BRACE || byte === OPEN_BRACKET;
    // A sign, a digit, or the first letter of true, false and null.
    const isScalar = byte === 0x2d || (byte >= 0x30 && byte <= 0x39) || byte === 0x74 || byte === 0x66 || byte === 0x6e;
    if (!isNested && !isScalar && byte !== QUOTE) throw this.#unexpected(byte, at, 'a value');
    return this.#begin(isNested ? 'nested' : isScalar ? 'scalar' : 'string', byte, at, false);
  }

  #beginKey(byte: number, at: number): number {
    if (byte !== QUOTE) throw this.#unexpected(byte, at, 'a name in double quotes');
    return this.#begin('string', byte, at, true);
  }

  #begin(reading: 'nested' | 'string' | 'scalar', byte: number, at: number, isKey: boolean): number {
    this.#reading = reading;
    this.#isKey = isKey;
    this.#start = this.#base + at;
    this.#opener = String.fromCharCode(byte);
    this.#depth = reading === 'nested' ? 1 : 0;
    this.#inString = reading === 'string';
    this.#escaped = false;
    this.#excess = undefined;
    this.#colons = 0;
    this.#hasBlanks = false;
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

  /** Goes on to where the value ends, or to the end of the chunk. */
  #readOn(chunk: Buffer, from: number): number {
    const end =
      this.#reading === 'scalar'
        ? endOfScalar(chunk, from)
        : this.#reading === 'string'
          ? this.#endOfText(chunk, from)
          : this.#endOfNested(chunk, from);
    if (end === undefined) return chunk.length;
    this.#finish(chunk, end);
    return end;
  }

  /** Returns the index just past the current string, which may have started in an earlier chunk. */
  #endOfText(chunk: Buffer, from: number): number | undefined {
    const end = endOfText(chunk, this.#escaped ? from + 1 : from);
    this.#inString = end < 0;
    this.#escaped = end === ESCAPED;
    return end < 0 ? undefined : end;
  }

  /**
   * The hot loop: it sees every byte of a file. What it counts is kept in variables, and text has a loop of its own that
   * returns; with one end for both, the compiled code took twice as long.
   */
  #endOfNested(chunk: Buffer, from: number): number | undefined {
    let at = this.#inString ? this.#endOfText(chunk, from) : from;
    if (at === undefined) return undefined;
    const { length } = chunk;
    let depth = this.#depth;
    let deepest = depth;
    let colons = this.#colons;
    let blanks = 0;
    while (at < length && depth > 0) {
      const byte = chunk[at++] as number;
      if (byte === QUOTE) {
        const end = endOfText(chunk, at);
        this.#inString = end < 0;
        this.#escaped = end === ESCAPED;
        at = end < 0 ? length : end;
      } else if (byte === COLON) colons++;
      else if (byte <= 0x20) blanks++;
      else if ((byte | BRACKET_OR_BRACE) === OPEN_BRACE) {
        if (++depth > deepest) deepest = depth;
      } else if ((byte | BRACKET_OR_BRACE) === CLOSE_BRACE) depth--;
    }
    this.#depth = depth;
    this.#colons = colons;
    this.#hasBlanks ||= blanks > 0;
    if (deepest > this.#limits.maxDepth) this.#excess ??= 'depth';
    return depth === 0 ? at : undefined;
  }

  #finish(chunk: Buffer, end: number): void {
    const bytes = this.#gather(chunk.subarray(Math.max(0, this.#start - this.#base), end));
    const head = this.#head;
    this.#head = undefined;
    this.#reading = undefined;
    if (this.#isKey) {
      this.#nameMember(bytes);
      this.#expected = ':';
      return;
    }
    const frame = this.#frames.at(-1);
    this.#slices.push({
      container: frame?.container,
      key: frame?.key ?? '',
      isDuplicate: frame?.isDuplicate ?? false,
      offset: this.#start,
      opener: this.#opener,
      bytes,
      excess: this.#excess,
      head,
      colons: this.#colons,
      hasBlanks: this.#hasBlanks,
    });
    this.#afterValue();
  }

  #nameMember(bytes: Uint8Array | undefined): void {
    const frame = this.#frames.at(-1) as Frame;
    if (!bytes) throw new CutFault('a name is too long', this.#start);
    let key: string;
    try {
      key = JSON.parse(UTF8.decode(bytes)) as string;
    } catch {
      throw new CutFault('a name is not valid JSON text in UTF-8', this.#start);
    }
    frame.isDuplicate = frame.keys.has(key);
    if (frame.isDuplicate && !frame.container.holdsEntries) throw new CutFault(`"${key}" is there twice`, this.#start);
    frame.keys.add(key);
    frame.key = key;
  }

  /** Puts aside what a value has in this chunk, whose memory is about to be used again. */
  #keep(part: Buffer): void {
    this.#earlierBytes += part.length;
    if (this.#earlierBytes > this.#limits.maxValueBytes) this.#excess ??= 'size';
    if (this.#excess) {
      this.#keepHead(part);
      this.#earlier = [];
    } else this.#earlier.push(Buffer.from(part));
  }

  /** Keeps the beginning of a value that is not kept as a whole. */
  #keepHead(part: Buffer): void {
    this.#head ??= Buffer.concat([...this.#earlier, part.subarray(0, HEAD_BYTES)]).subarray(0, HEAD_BYTES);
  }

  #gather(last: Buffer): Uint8Array | undefined {
    const length = this.#earlierBytes + last.length;
    if (length > this.#limits.maxValueBytes) this.#excess ??= 'size';
    if (this.#excess) this.#keepHead(last);
    const earlier = this.#earlier;
    this.#earlier = [];
    this.#earlierBytes = 0;
    if (this.#excess) return undefined;
    return earlier.length > 0 ? Buffer.concat([...earlier, last]) : last;
  }

  #unexpected(byte: number, at: number, wanted: string): CutFault {
    const found = byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : 'another character';
    return new CutFault(`${found} stands where ${wanted} should be`, this.#base + at);
  }
}

const OPEN = -1;
/** Open, and the next byte has no meaning of its own. */
const ESCAPED = -2;

/** Where the text ends, or how it goes on after this chunk: {@link OPEN} or {@link ESCAPED}. */
function endOfText(chunk: Buffer, from: number): number {
  const { length } = chunk;
  let at = from;
  while (at < length) {
    const byte = chunk[at++] as number;
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return at > length ? ESCAPED : OPEN;
}

/** A number, true, false or null ends before whatever cannot be part of one. */
function endOfScalar(chunk: Buffer, from: number): number | undefined {
  for (let at = from; at < chunk.length; at++) {
    const byte = chunk[at] as number;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE || byte === COLON) return at;
  }
  return undefined;
}
