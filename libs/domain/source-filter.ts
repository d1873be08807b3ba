import { ENTRY_FILE } from './entry-file.js';
import { compileGlob } from './glob.js';

/** Which entries of a source are served: the `filter` block of a source. */
export interface SourceFilter {
  readonly names?: { readonly include?: readonly string[]; readonly exclude?: readonly string[] };
  readonly tags?: { readonly include?: readonly string[]; readonly exclude?: readonly string[] };
}

export interface Filterable {
  readonly key: string;
  readonly name: string;
  readonly tags: readonly string[];
}

/** Says which rule leaves an entry out, as `names.exclude: experimental-*`; undefined when the entry is served. */
export type FilterRule = (entry: Filterable) => string | undefined;

/**
 * Exclude beats include; an include list that is not empty must match; names and tags must both pass. A name pattern
 * matches the source's own key or the converted name; of a file, also the name without its namespace. Throws a SyntaxError for a malformed pattern.
 */
export function compileFilter(filter: SourceFilter = {}): FilterRule {
  const [includedNames, excludedNames] = [filter.names?.include ?? [], filter.names?.exclude ?? []].map((patterns) =>
    patterns.map(compileGlob),
  ) as [ReturnType<typeof compileGlob>[], ReturnType<typeof compileGlob>[]];
  const includedTags = new Set(filter.tags?.include);
  const excludedTags = new Set(filter.tags?.exclude);

  return ({ key, name, tags }) => {
    const names = ENTRY_FILE.test(key) ? [name, key, name.slice(name.lastIndexOf('/') + 1)] : [name, key];
    const named = (glob: { matches(text: string): boolean }) => names.some((each) => glob.matches(each));
    const excluding = excludedNames.find(named);
    if (excluding) return `names.exclude: ${excluding.pattern}`;
    if (includedNames.length > 0 && !includedNames.some(named)) return 'names.include: no pattern matches';
    const excludingTag = tags.find((tag) => excludedTags.has(tag));
    if (excludingTag !== undefined) return `tags.exclude: ${excludingTag}`;
    if (includedTags.size > 0 && !tags.some((tag) => includedTags.has(tag))) return 'tags.include: no tag matches';
    return undefined;
  };
}
