import type { ClientBase, Connection, Submittable } from 'pg';

/**
 * Reads PostgreSQL's binary COPY format, the counterpart of copy-binary.ts. Values are taken directly from the bytes
 * that the server sends, whereas a query would create an object of strings for each row.
 */
const HEADER_BYTES = 19;
const NULL_LENGTH = -1;
/** Timestamps are microseconds since this time. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
/**
 * Maximum number of string lists that are cached. Usually, there are either few different lists or an unlimited number.
 */
const KNOWN_LISTS = 4096;

/**
 * Calls `onRow` for each row of a query. The values of the row must be read in the order of the columns. Reading pauses
 * while a promise returned by `rest` is pending. An error thrown by `onRow` is rethrown after the server has finished.
 */
export function readCopy(
  client: ClientBase,
  query: string,
  onRow: (row: CopiedRow) => void,
  rest: () => Promise<void> | undefined,
): Promise<void> {
  return client.query(new CopyOut(`COPY (${query}) TO STDOUT (FORMAT binary)`, onRow, rest)).done;
}

/** A statement for node-pg, which passes each message of the server to it. */
class CopyOut implements Submittable {
  readonly #statement: string;
  readonly #onRow: (row: CopiedRow) => void;
  readonly #rest: () => Promise<void> | undefined;
  readonly #row = new CopiedRow();
  readonly #ended = Promise.withResolvers<void>();
  #isBegun = false;
  #failure: Error | undefined;

  constructor(statement: string, onRow: (row: CopiedRow) => void, rest: () => Promise<void> | undefined) {
    this.#statement = statement;
    this.#onRow = onRow;
    this.#rest = rest;
  }

  get done(): Promise<void> {
    return this.#ended.promise;
  }

  submit(connection: Connection): void {
    connection.query(this.#statement);
  }

  /**
   * Handles one row, because the server sends one row per message. The first message also contains the header, and the
   * end is a row without fields.
   */
  handleCopyData({ chunk }: { readonly chunk: Buffer }, { stream }: Connection): void {
    if (this.#failure) return;
    const at = this.#isBegun ? 0 : HEADER_BYTES;
    this.#isBegun = true;
    try {
      if (this.#row.begin(chunk, at)) this.#onRow(this.#row);
    } catch (error) {
      this.#failure = error as Error;
    }
    if (stream.isPaused()) return;
    const rested = this.#rest();
    if (!rested) return;
    stream.pause();
    void rested.then(() => stream.resume());
  }

  handleCommandComplete(): void {
    // Nothing to do, because the server reports that it is ready right after this.
  }

  handleReadyForQuery(): void {
    if (this.#failure) this.#ended.reject(this.#failure);
    else this.#ended.resolve();
  }

  handleError(error: Error): void {
    this.#ended.reject(error);
  }
}

/** Reads the values of one row at a time. */
export class CopiedRow {
  readonly #lists = new Map<string, readonly string[]>();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Starts to read a row. Returns false if the bytes are not a row. */
  begin(bytes: Buffer, at: number): boolean {
    this.#bytes = bytes;
    this.#at = at + 2;
    return this.#at <= bytes.length && bytes.readInt16BE(at) > 0;
  }

  /** Returns the bytes of a column, or null if the column is null. The bytes are valid until the next row. */
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

  /** Returns a timestamptz in milliseconds since 1970, or null. */
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

  /** Returns a non-null integer column. */
  integer(): number {
    this.#length();
    const value = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  flag(): boolean {
    return this.#length() === 1 && this.#bytes[this.#at++] === 1;
  }

  /** Returns a one-dimensional text[]. Equal lists usually share one object. */
  texts(): readonly string[] {
    const end = this.#length() + this.#at;
    const key = this.#bytes.toString('latin1', this.#at, end);
    const known = this.#lists.get(key);
    if (known) {
      this.#at = end;
      return known;
    }
    const texts = this.#readTexts(end);
    if (this.#lists.size === KNOWN_LISTS) this.#lists.clear();
    this.#lists.set(key, texts);
    return texts;
  }

  #readTexts(end: number): string[] {
    const dimensions = this.#bytes.readInt32BE(this.#at);
    const texts: string[] = [];
    // Skips the number of dimensions, the flags and the type, then the size and the lower bound of each dimension.
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
