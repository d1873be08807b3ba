/**
 * Reads PostgreSQL's binary COPY format, the counterpart of copy-binary.ts: values are taken out of the bytes that came
 * from the server, where a query would make an object of texts of each row.
 */
const HEADER_BYTES = 19;
const NULL_LENGTH = -1;
/** Timestamps count microseconds from here. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const NOTHING = Buffer.alloc(0);
/** Lists of texts that are remembered at a time; there are few different ones, or no end of them. */
const KNOWN_LISTS = 4096;

/** Calls `onRow` for each row, whose values have to be taken in the order of the columns. Waits for `afterChunk`. */
export async function readCopy(
  chunks: AsyncIterable<Buffer>,
  onRow: (row: CopiedRow) => void,
  afterChunk: () => Promise<void> | undefined,
): Promise<void> {
  let rest: Buffer = NOTHING;
  let at = HEADER_BYTES;
  const lists = new Map<string, readonly string[]>();
  for await (const chunk of chunks) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const row = new CopiedRow(bytes, lists);
    while (row.begin(at)) {
      at = row.end;
      onRow(row);
    }
    // A header that is not here whole is skipped in the next chunk.
    rest = at < bytes.length ? bytes.subarray(at) : NOTHING;
    at = Math.max(0, at - bytes.length);
    await afterChunk();
  }
}

/** One row at a time; a value that is taken stays what it is. */
export class CopiedRow {
  readonly #bytes: Buffer;
  #at = 0;
  #end = 0;

  constructor(
    bytes: Buffer,
    private readonly lists: Map<string, readonly string[]>,
  ) {
    this.#bytes = bytes;
  }

  get end(): number {
    return this.#end;
  }

  /** False when the row at this place is not here whole, or the rows are at an end. */
  begin(at: number): boolean {
    const bytes = this.#bytes;
    if (at + 2 > bytes.length) return false;
    let end = at + 2;
    for (let fields = bytes.readInt16BE(at); fields !== 0; fields--) {
      if (fields < 0 || end + 4 > bytes.length) return false;
      end += 4 + Math.max(0, bytes.readInt32BE(end));
    }
    if (end > bytes.length) return false;
    this.#at = at + 2;
    this.#end = end;
    return true;
  }

  /** Null: the column is null. */
  bytes(): Buffer | null {
    const length = this.#length();
    return length === NULL_LENGTH ? null : this.#bytes.subarray(this.#at, (this.#at += length));
  }

  text(): string {
    return this.nullableText() ?? '';
  }

  nullableText(): string | null {
    const length = this.#length();
    return length === NULL_LENGTH ? null : this.#bytes.toString('utf8', this.#at, (this.#at += length));
  }

  /** A timestamptz, in milliseconds since 1970. */
  nullableTime(): number | null {
    if (this.#length() === NULL_LENGTH) return null;
    const high = this.#bytes.readInt32BE(this.#at);
    const low = this.#bytes.readUInt32BE(this.#at + 4);
    this.#at += 8;
    return (high * 2 ** 32 + low) / 1000 + POSTGRES_EPOCH_MS;
  }

  time(): number {
    return this.nullableTime() ?? 0;
  }

  flag(): boolean {
    return this.#length() === 1 && this.#bytes[this.#at++] === 1;
  }

  /** A text[] of one dimension; mostly the same object for the same texts. */
  texts(): readonly string[] {
    const end = this.#length() + this.#at;
    const key = this.#bytes.toString('latin1', this.#at, end);
    const known = this.lists.get(key);
    if (known) {
      this.#at = end;
      return known;
    }
    const texts = this.#readTexts(end);
    if (this.lists.size === KNOWN_LISTS) this.lists.clear();
    this.lists.set(key, texts);
    return texts;
  }

  #readTexts(end: number): string[] {
    const dimensions = this.#bytes.readInt32BE(this.#at);
    const texts: string[] = [];
    // Dimensions, flags, type; then size and lower bound of each dimension.
    this.#at += 12 + dimensions * 8;
    while (this.#at < end) texts.push(this.text());
    return texts;
  }

  #length(): number {
    const length = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return length;
  }
}
