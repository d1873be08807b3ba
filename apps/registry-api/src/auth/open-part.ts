const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The sources of `auth.publicRead`; undefined when there are none. The same set each time, so that views of it can be kept. */
export function openSources(publicRead: readonly string[]): ReadonlySet<string> | undefined {
  if (publicRead.length === 0) return undefined;
  const known = sets.get(publicRead) ?? new Set(publicRead);
  sets.set(publicRead, known);
  return known;
}
