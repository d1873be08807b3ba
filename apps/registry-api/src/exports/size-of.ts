/** Memory of a value in addition to its characters. */
const VALUE_BYTES = 32;

/**
 * Returns an estimate of the memory that a parsed JSON value takes, in bytes. Counting ends beyond `limit`, so that a
 * huge value costs no more time than one of that size.
 */
export function sizeOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return VALUE_BYTES + value.length;
  let size = VALUE_BYTES;
  if (typeof value !== 'object' || value === null) return size;
  for (const [key, member] of Object.entries(value)) {
    size += (Array.isArray(value) ? 0 : key.length) + sizeOf(member, limit - size);
    if (size > limit) break;
  }
  return size;
}
