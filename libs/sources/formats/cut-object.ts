import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container, CutLimits, Slice } from './json-cutter.js';

/**
 * Cuts an object that was cut out of a larger text into its members; their offsets are those in the larger text. Returns
 * nothing for a value that is no object, or too large to be kept. Throws a CutFault for what is not JSON.
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
