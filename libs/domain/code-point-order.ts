/**
 * Compares strings like Postgres with COLLATE "C": by their UTF-8 bytes, and thus by code point. JavaScript's own `<`
 * compares UTF-16 code units and would sort an emoji before U+FF5E.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/**
 * Ranks a surrogate above all other code units, because it stands for a code point above all that need no surrogates.
 */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
