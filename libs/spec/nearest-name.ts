import { editDistance } from '#domain/edit-distance.js';

/** Returns the known name that a mistyped name most likely means, or undefined if none is similar. Case-insensitive. */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  const tolerance = Math.max(1, Math.floor(typed.length / 3));
  return known
    .filter(({ length }) => Math.abs(typed.length - length) <= tolerance)
    .map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }))
    .filter(({ distance }) => distance <= tolerance)
    .sort((a, b) => a.distance - b.distance)[0]?.name;
}
