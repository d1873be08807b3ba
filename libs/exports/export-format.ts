import { DeniedIdentities } from './denied-identities.js';
import type { ExportOptions } from './export-options.js';
import type { EntryResult } from './entry-result.js';
import type { NoteName } from './omission.js';
import type { VisibleEntry } from './visible-entry.js';
import { byText, toEntryResult } from './ways.js';

export type MediaType = 'application/json' | 'application/toml' | 'application/yaml';

export interface Rendered {
  readonly text: string;
  /** One result per entry, in order. */
  readonly results: readonly EntryResult[];
  /** Notes about the whole file. */
  readonly notes: readonly NoteName[];
  /** Errors of the entries that were omitted as `internal`. */
  readonly faults: readonly unknown[];
}

export interface ExportFormat {
  readonly id: string;
  /** File name that the client expects. */
  readonly file: string;
  readonly mediaType: MediaType;
  readonly purpose: 'policy' | 'client' | 'registry';
  /** Programs that read the file. */
  readonly client: string;
  readonly status: 'stable' | 'preview' | 'deprecated';
  /** Date on which the facts about the format were last checked. */
  readonly verified: string;
  readonly wherePut: string;
  /**
   * Whether a client blocks every server if the file has no entries; null if an empty file must not be produced (422).
   */
  readonly emptyBlocksEverything: boolean | null;
  /**
   * Renders entries in any order. A pure function of entries and options. Throws `TextRefused` if the result fails
   * `check`.
   */
  render(entries: readonly VisibleEntry[], options: ExportOptions): Rendered;
  /** Parses the result by the rules of the client; throws if the client would not accept it. */
  check(text: string): void;
}

/** Thrown if a rendered text fails the check of its own format. */
export class TextRefused extends Error {
  override readonly name = 'TextRefused';

  constructor(
    /** The results of all entries that are not denied. */
    readonly rendered: Omit<Rendered, 'text'>,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** The definition of a format. Its `render` may call the format's own check to find the entries that fail it. */
interface ExportDefinition extends Omit<ExportFormat, 'render'> {
  render(entries: readonly VisibleEntry[], options: ExportOptions, check: ExportFormat['check']): Rendered;
}

/** Entries and options without what is denied or too large, and the results of what was removed. */
interface Admitted {
  readonly entries: readonly VisibleEntry[];
  readonly options: ExportOptions;
  readonly removed: readonly EntryResult[];
}

/**
 * Removes denied entries, by name and identity, from the entries to export and from the view. No rule may admit an
 * entry of the view by accident, so the identities of the view are checked, but those of denied entries are not.
 */
function withoutDenied(entries: readonly VisibleEntry[], options: ExportOptions): Admitted {
  const { denied, view, tooLarge = [] } = options;
  const identities = denied && new DeniedIdentities(denied, entries, options);
  const removed = tooLarge.map((entry) => identities?.find(entry) ?? toEntryResult(entry, [], { reason: 'too-large' }));
  if (!identities) return { entries, options, removed };
  const admitted = entries.filter((entry) => {
    const result = identities.find(entry);
    if (result) removed.push(result);
    return !result;
  });
  return {
    entries: admitted,
    options: { ...options, ...(view && { view: filtered(view, (entry) => !identities.find(entry)) }) },
    removed,
  };
}

/** Returns an iterable of the items that pass a test, which is evaluated again in each iteration. */
function filtered<T>(items: Iterable<T>, test: (item: T) => boolean): Iterable<T> {
  return { [Symbol.iterator]: () => Iterator.from(items).filter(test) };
}

/** Declares a format. A new format is one file with a call of this function and one line in `index.ts`. */
export function defineExport(definition: ExportDefinition): ExportFormat {
  return {
    ...definition,
    render(entries, options) {
      let accepted: string | undefined;
      const check = (text: string) => {
        this.check(text);
        accepted = text;
      };
      const { removed, ...admitted } = withoutDenied(entries, options);
      const rendered = definition.render(admitted.entries, admitted.options, check);
      try {
        if (accepted !== rendered.text) check(rendered.text);
      } catch (error) {
        throw new TextRefused(rendered, error);
      }
      if (removed.length === 0) return rendered;
      return { ...rendered, results: [...rendered.results, ...removed].toSorted(byText(({ name }) => name)) };
    },
  };
}
