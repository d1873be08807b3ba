import { editDistance } from '#domain/edit-distance.js';

/** Maximum number of candidates whose edit distance is computed, because a repository may have a million files. */
const MAX_COMPARED = 2_000;
const MAX_LENGTH = 200;

/**
 * Returns the candidates that `wanted` may have meant, best first. Candidates with the same last segment come first.
 */
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

/** Returns ` Did you mean a, b or c?` with a leading space, or an empty string if there are no names. */
export function didYouMean(names: readonly string[]): string {
  if (names.length === 0) return '';
  const last = names.at(-1) as string;
  return ` Did you mean ${names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${last}` : last}?`;
}

function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
