import type { ExportOptions } from './export-options.js';
import type { NoteName, OmissionReason } from './omission.js';
import type { VisibleEntry } from './visible-entry.js';

export type MediaType = 'application/json' | 'application/toml' | 'application/yaml';

/** What became of one way of an entry. */
export interface WayResult {
  /** Place of the way in the entry, such as `packages[0]`. */
  readonly way: string;
  readonly status: 'exported' | 'omitted';
  readonly reason?: OmissionReason;
  readonly detail?: string;
  readonly path?: string;
  readonly rules?: number;
  readonly notes?: readonly NoteName[];
  /** The entries that `same-command-as` means. */
  readonly names?: readonly string[];
}

/** What became of one entry; it is exported if any text of it is in the file. */
export interface EntryResult {
  readonly name: string;
  readonly version: string;
  readonly shortName?: string;
  readonly status: 'exported' | 'omitted';
  readonly reason?: OmissionReason;
  readonly detail?: string;
  readonly notes?: readonly NoteName[];
  readonly ways: readonly WayResult[];
}

export interface Rendered {
  readonly text: string;
  /** One for each entry, in order. */
  readonly results: readonly EntryResult[];
  /** Notes about the file as a whole. */
  readonly notes: readonly NoteName[];
  /** What was thrown for entries that are omitted as `internal`. */
  readonly faults: readonly unknown[];
}

export interface ExportFormat {
  readonly id: string;
  /** The name that the client gives the file. */
  readonly file: string;
  readonly mediaType: MediaType;
  readonly purpose: 'policy' | 'client' | 'registry';
  /** Programs that read it. */
  readonly client: string;
  readonly status: 'stable' | 'preview' | 'deprecated';
  /** Day on which its facts were last checked. */
  readonly verified: string;
  readonly wherePut: string;
  /** Whether a client that reads the file without entries refuses every server; null: an empty file is refused (422). */
  readonly emptyBlocksEverything: boolean | null;
  /** A pure function of entries and options. The entries come in any order. */
  render(entries: readonly VisibleEntry[], options: ExportOptions): Rendered;
  /** Reads the text again by the rules of the client; throws for what the client would not accept. */
  check(text: string): void;
}

/** A format whose rendering uses its own check for each entry. */
interface ExportDefinition extends Omit<ExportFormat, 'render'> {
  render(entries: readonly VisibleEntry[], options: ExportOptions, check: ExportFormat['check']): Rendered;
}

/** Subtracts denied entries, by name, from those that are exported and from the view, whose identities no rule may admit or deny by accident. */
function withoutDenied(
  entries: readonly VisibleEntry[],
  options: ExportOptions,
): [readonly VisibleEntry[], ExportOptions] {
  if (!options.denied || options.denied.length === 0) return [entries, options];
  const denied = new Set(options.denied.map(({ server }) => server.name));
  const isLeft = ({ server }: VisibleEntry) => !denied.has(server.name);
  return [entries.filter(isLeft), { ...options, view: options.view.filter(isLeft) }];
}

/** Declares a format; a new one is one file with this and one line in `index.ts`. */
export function defineExport(definition: ExportDefinition): ExportFormat {
  const { check } = definition;
  return {
    ...definition,
    render: (entries, options) => definition.render(...withoutDenied(entries, options), check),
  };
}
