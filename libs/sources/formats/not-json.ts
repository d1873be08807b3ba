import type { FileHandle } from 'node:fs/promises';
import { RegistryError } from '#domain/registry-error.js';
import type { CutFault } from './json-cutter.js';

const BLOCK_BYTES = 256 * 1024;
const SHOWN_BYTES = 60;

/** Thrown if a file is not valid JSON. `line` is the line of the error, starting at 1. */
export class SyntaxFault extends RegistryError {
  readonly line: number;

  constructor(message: string, line: number) {
    super('InvalidData', message);
    this.line = line;
  }
}

export interface QuoteOptions {
  /** How messages refer to the file. */
  readonly file: string;
  readonly hidesContent?: boolean;
}

/**
 * Returns an error with the line, the column and, if they may be quoted, the characters around the error. Reads the
 * file again.
 */
export async function notJson(
  file: FileHandle,
  fault: CutFault,
  { file: name, hidesContent = false }: QuoteOptions,
): Promise<RegistryError> {
  let line = 1;
  let column = 1;
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let position = 0; position <= fault.offset; position += BLOCK_BYTES) {
    const { bytesRead } = await file.read(block, 0, Math.min(BLOCK_BYTES, fault.offset - position), position);
    for (const byte of block.subarray(0, bytesRead)) {
      if (byte === 0x0a) [line, column] = [line + 1, 1];
      // Continuation bytes of a multi-byte character do not count as columns.
      else if ((byte & 0xc0) !== 0x80) column++;
    }
  }
  if (hidesContent) return new SyntaxFault(`${name} is not valid JSON: line ${line}, column ${column}.`, line);
  const from = Math.max(0, fault.offset - SHOWN_BYTES / 2);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SHOWN_BYTES), 0, SHOWN_BYTES, from);
  const around = buffer
    .toString('utf8', 0, bytesRead)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  const message = `${name} is not valid JSON: line ${line}, column ${column}: ${fault.message}, near "${around}".`;
  return new SyntaxFault(message, line);
}
