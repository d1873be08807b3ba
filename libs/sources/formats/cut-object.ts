import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container, Slice } from './json-cutter.js';
import type { CutLimits } from './value-reader.js';

/**
 * Cuts an object, which is a slice of a larger text, into its members. Their offsets refer to the larger text. Returns
 * nothing if the value is not an object or is too large to be kept. Throws a CutFault if the bytes are not JSON.
 */
export function cutObject({ bytes, opener, offset }: Slice, container: Container, limits: CutLimits): Slice[] {
  if (!bytes || opener !== '{') return [];
  const cutter = new JsonCutter(container, limits);
  try {
    const members = cutter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    cutter.end();
    return members.map((member) => ({ ...member, offset: offset + member.offset }));
  } catch (error) {
    throw error instanceof CutFault ? new CutFault(error.message, offset + error.offset) : error;
  }
}
