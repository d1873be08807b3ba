/** The known name that a mistyped one most likely means; undefined when none is near. Upper and lower case count as equal. */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  const tolerance = Math.max(1, Math.floor(typed.length / 3));
  return known
    .filter(({ length }) => Math.abs(typed.length - length) <= tolerance)
    .map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= tolerance)
    .sort((a, b) => a.distance - b.distance)[0]?.name;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(from: string, to: string): number {
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
