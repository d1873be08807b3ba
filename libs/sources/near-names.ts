/** Edit distances are computed for so many candidates at most; a repository may have a million files. */
const MAX_COMPARED = 2_000;
const MAX_LENGTH = 200;

/** Returns the candidates that may have been meant by `wanted`, best first; the same last segment counts most. */
export function nearNames(wanted: string, candidates: readonly string[], count = 5): string[] {
  const target = wanted.toLowerCase().slice(0, MAX_LENGTH);
  const ending = lastSegment(target);
  const endsAlike = (name: string) => lastSegment(name.toLowerCase()) === ending;
  const others = candidates.filter((name) => !endsAlike(name));
  return [...candidates.filter(endsAlike).slice(0, MAX_COMPARED), ...others.slice(0, MAX_COMPARED)]
    .map((name) => ({
      name,
      bonus: endsAlike(name) ? MAX_LENGTH : 0,
      distance: editDistance(target, name.toLowerCase().slice(0, MAX_LENGTH)),
    }))
    .filter(({ name, bonus, distance }) => bonus > 0 || distance <= 0.6 * Math.max(name.length, target.length))
    .sort((a, b) => a.distance - a.bonus - (b.distance - b.bonus))
    .slice(0, count)
    .map(({ name }) => name);
}

/** ` Did you mean a, b or c?`, with the blank before it; nothing when nothing is near. */
export function didYouMean(names: readonly string[]): string {
  if (names.length === 0) return '';
  const last = names.at(-1) as string;
  return ` Did you mean ${names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${last}` : last}?`;
}

function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = (previous[column - 1] as number) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current[column] = Math.min(replaced, (previous[column] as number) + 1, (current[column - 1] as number) + 1);
    }
    previous = current;
  }
  return previous[to.length] as number;
}
