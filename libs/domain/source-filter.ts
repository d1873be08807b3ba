import { ENTRY_FILE } from './entry-file.js';
import { compileGlob } from './glob.js';

/** The `filter` block of a source, which selects the entries that are served. */
export interface SourceFilter {
  readonly names?: { readonly include?: readonly string[]; readonly exclude?: readonly string[] };
  readonly tags?: { readonly include?: readonly string[]; readonly exclude?: readonly string[] };
}

export interface Filterable {
  readonly key: string;
  readonly name: string;
  readonly tags: readonly string[];
}

/** Returns the rule that hides an entry, such as `names.exclude: experimental-*`; undefined if the entry is served. */
export type FilterRule = (entry: Filterable) => string | undefined;

/**
 * Compiles a filter. Exclude takes precedence over include, an include list that is not empty must match, and both
 * names and tags must pass. A name pattern matches the source's own key or the converted name; for a file, also the
 * name without its namespace. Throws a SyntaxError for an invalid pattern.
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
