export interface CutLimits {
  /** Size limit of one value, and of a property name. */
  readonly maxValueBytes: number;
  /** Nesting limit of objects and arrays inside one value. */
  readonly maxDepth: number;
}

/** The raw JSON of one value. */
export interface ValueText {
  /** Offset of the value, in bytes from the start of the file. */
  readonly offset: number;
  /** First character of the value, which determines its type. */
  readonly opener: string;
  /** Bytes of the value, valid until the next chunk is read; undefined if `excess` says why they were not kept. */
  readonly bytes: Uint8Array | undefined;
  readonly excess: 'size' | 'depth' | undefined;
  /**
   * The first 64 KiB of the value if `bytes` is missing because of `excess`, so that the name of the entry can still be
   * read.
   */
  readonly head: Uint8Array | undefined;
  /** Number of colons outside of strings, which is the number of all object members in the value. */
  readonly colons: number;
  /** Whether there is whitespace outside of strings. */
  readonly hasBlanks: boolean;
}

const HEAD_BYTES = 64 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** The bit in which a bracket differs from the corresponding brace. */
const BRACKET_OR_BRACE = 0x20;

/**
 * Finds the ends of consecutive JSON values and keeps their bytes within limits. A value may have started in an earlier
 * chunk.
 */
export class ValueReader {
  readonly #limits: CutLimits;
  #kind: 'nested' | 'string' | 'scalar' | undefined;
  #start = 0;
  #opener = '';
  #depth = 0;
  #inString = false;
  #escaped = false;
  #excess: ValueText['excess'];
  #colons = 0;
  #hasBlanks = false;
  #earlier: Buffer[] = [];
  #earlierBytes = 0;
  #head: Buffer | undefined;

  constructor(limits: CutLimits) {
    this.#limits = limits;
  }

  get isReading(): boolean {
    return this.#kind !== undefined;
  }

  /** Begins the value whose first byte is at the given offset. Returns false if the byte cannot begin a value. */
  begin(byte: number, offset: number): boolean {
    this.#kind = kindOf(byte);
    this.#start = offset;
    this.#opener = String.fromCharCode(byte);
    this.#depth = 1;
    this.#inString = byte === QUOTE;
    this.#escaped = false;
    this.#excess = undefined;
    this.#colons = 0;
    this.#hasBlanks = false;
    return this.#kind !== undefined;
  }

  /** Returns the index just past the value, or undefined if the value continues in the next chunk. */
  findEnd(chunk: Buffer, from: number): number | undefined {
    if (this.#kind === 'scalar') return endOfScalar(chunk, from);
    return this.#kind === 'string' ? this.#endOfText(chunk, from) : this.#endOfNested(chunk, from);
  }

  /**
   * Copies the part of the value in the chunk that starts at the offset `base`, because the memory of the chunk is
   * reused.
   */
  keep(chunk: Buffer, base: number): void {
    const part = chunk.subarray(Math.max(0, this.#start - base));
    this.#addBytes(part);
    if (this.#excess) this.#earlier = [];
    else this.#earlier.push(Buffer.from(part));
  }

  /** Returns the value, which ends at the index `end` of the chunk that starts at the offset `base`. */
  take(chunk: Buffer, base: number, end: number): ValueText {
    const last = chunk.subarray(Math.max(0, this.#start - base), end);
    this.#addBytes(last);
    const [earlier, head] = [this.#earlier, this.#head];
    this.#earlier = [];
    this.#earlierBytes = 0;
    this.#head = undefined;
    this.#kind = undefined;
    const whole = () => (earlier.length > 0 ? Buffer.concat([...earlier, last]) : last);
    return {
      offset: this.#start,
      opener: this.#opener,
      bytes: this.#excess ? undefined : whole(),
      excess: this.#excess,
      head,
      colons: this.#colons,
      hasBlanks: this.#hasBlanks,
    };
  }

  /** Counts more bytes of the value. If the value exceeds a limit, only its beginning is kept. */
  #addBytes(part: Buffer): void {
    this.#earlierBytes += part.length;
    if (this.#earlierBytes > this.#limits.maxValueBytes) this.#excess ??= 'size';
    if (this.#excess)
      this.#head ??= Buffer.concat([...this.#earlier, part.subarray(0, HEAD_BYTES)]).subarray(0, HEAD_BYTES);
  }

  /** Returns the index just past the current string, which may have started in an earlier chunk. */
  #endOfText(chunk: Buffer, from: number): number | undefined {
    const end = endOfText(chunk, this.#escaped ? from + 1 : from);
    this.#inString = end < 0;
    this.#escaped = end === ESCAPED;
    return end < 0 ? undefined : end;
  }

  /**
   * The hot loop, which runs for every byte of a file. Counters are kept in local variables. Strings are scanned by a
   * separate function that returns at their end: with one loop for both, the compiled code took twice as long.
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
}

function kindOf(byte: number): 'nested' | 'string' | 'scalar' | undefined {
  if (byte === QUOTE) return 'string';
  if ((byte | BRACKET_OR_BRACE) === OPEN_BRACE) return 'nested';
  // A minus sign, a digit, or the first letter of true, false or null.
  const isScalar = byte === 0x2d || (byte >= 0x30 && byte <= 0x39) || byte === 0x74 || byte === 0x66 || byte === 0x6e;
  return isScalar ? 'scalar' : undefined;
}

const OPEN = -1;
/** The string is still open, and its next byte is escaped. */
const ESCAPED = -2;

/** Returns the index just past the string, or its state after this chunk: {@link OPEN} or {@link ESCAPED}. */
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

/**
 * Returns the index just past a number, true, false or null. These end at the first byte that cannot be part of them.
 */
function endOfScalar(chunk: Buffer, from: number): number | undefined {
  for (let at = from; at < chunk.length; at++) {
    const byte = chunk[at] as number;
    if (byte <= 0x20 || byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE || byte === COLON) return at;
  }
  return undefined;
}
