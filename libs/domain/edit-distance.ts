/**
 * Returns the edit distance of two strings (Damerau–Levenshtein, optimal string alignment): the minimum number of
 * insertions, deletions, replacements and swaps of adjacent characters that turn one into the other. Takes time
 * proportional to the product of their lengths.
 */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = last[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      const swapped =
        from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1] ? beforeLast[column - 2]! + 1 : Infinity;
      current[column] = Math.min(replaced, swapped, last[column]! + 1, current[column - 1]! + 1);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length]!;
}
