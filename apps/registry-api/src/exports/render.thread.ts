import { hash } from 'node:crypto';
import { compileGlob } from '#domain/glob.js';
import type { ServerDocument } from '#domain/server-document.js';
import { TextRefused } from '#exports/export-format.js';
import type { ExportFormat, Rendered } from '#exports/export-format.js';
import type { ExportOptions } from '#exports/export-options.js';
import { findFormat } from '#exports/index.js';
import { shortNames } from '#exports/short-names.js';
import { TextTooLong } from '#exports/text-too-long.js';
import type { VisibleEntry } from '#exports/visible-entry.js';
import { PartReader } from './part-reader.js';
import type { ListedEntry } from './part-reader.js';
import type { RenderFaults, RenderList, RenderOutcome, RenderRequest, RenderTask } from './render-task.js';
import { sizeOf } from './size-of.js';

/** Thrown if the requested export cannot be rendered. */
class Refused extends Error {}

/** Renders one export. The pool gives a thread one task at a time. */
export default function runTask({ request, parts, responses }: RenderTask): RenderOutcome {
  try {
    const format = findFormat(request.format);
    if (!format) throw new Error(`there is no format ${request.format}`);
    return render(format, request, new PartReader({ parts, responses }));
  } catch (error) {
    if (error instanceof TextTooLong) return { kind: 'refused', message: tooLong(request) };
    if (!(error instanceof Refused)) throw error;
    return { kind: 'refused', message: error.message };
  } finally {
    parts.close();
  }
}

function render(format: ExportFormat, request: RenderRequest, reader: PartReader): RenderOutcome {
  const { entries, options } = collect(format, request, reader);
  let rendered: Rendered;
  try {
    rendered = format.render(entries, options);
  } catch (error) {
    if (!(error instanceof TextRefused)) throw error;
    const { results, faults } = error.rendered;
    return {
      kind: 'broken',
      error: toError(error),
      names: results.map(({ name }) => name),
      faults: toFaults(faults),
    };
  }
  demandUseful(format, rendered);
  const text = Buffer.from(rendered.text);
  if (text.length > request.maxBytes) throw new Refused(tooLong(request));
  return toOutcome(rendered, text);
}

/**
 * Reads the entries to export. All other entries, of which there may be more than fit into memory, are read while the
 * format iterates over them.
 */
function collect(
  { purpose }: ExportFormat,
  request: RenderRequest,
  reader: PartReader,
): { entries: readonly VisibleEntry[]; options: ExportOptions } {
  const isPolicy = purpose === 'policy';
  const names = new Set(reader.names('view'));
  const toVisible = withShortNames(names);
  const chosen = new ChosenEntries(request, isPolicy);
  chosen.demandFit(reader.names('selected'));
  for (const entry of reader.entries('selected')) chosen.take(toVisible(entry));
  const { entries, tooLarge } = chosen;
  const isWhole = entries.length === names.size;
  const { deniedLists } = request;
  const options = {
    ...request.options,
    tooLarge,
    maxLength: request.maxBytes,
    ...(isPolicy && !isWhole && { view: viewOf(entries, reader, toVisible) }),
    ...(deniedLists !== undefined && { denied: deniedOf(deniedLists, reader) }),
  };
  return { entries, options };
}

/** Collects the entries that the parameters select, and counts them and their size against the limits. */
class ChosenEntries {
  readonly entries: VisibleEntry[] = [];
  readonly tooLarge: VisibleEntry[] = [];
  readonly #isChosen: (name: string) => boolean;
  #size = 0;

  constructor(
    private readonly request: RenderRequest,
    private readonly isPolicy: boolean,
  ) {
    const globs = request.names.map(compileGlob);
    this.#isChosen = (name) => globs.length === 0 || globs.some((glob) => glob.matches(name));
  }

  /** Throws `Refused` if there are too many of the names that the other parameters select. */
  demandFit(selected: Iterable<string>): void {
    const { maxEntries } = this.request;
    let count = 0;
    for (const name of selected) {
      if (this.#isChosen(name) && ++count > maxEntries) {
        throw new Refused(
          `more than ${maxEntries} servers do not fit into one file: select fewer with names, tag or deny`,
        );
      }
    }
  }

  /** Throws `Refused` if the entries are too large. */
  take(entry: VisibleEntry): void {
    if (!this.#isChosen(entry.server.name)) return;
    const { maxEntrySize, maxTotalSize } = this.request;
    const kept = this.isPolicy ? { ...entry, server: identityOf(entry.server) } : entry;
    const size = sizeOf(kept, maxEntrySize);
    if (size > maxEntrySize) {
      const { name, version } = entry.server;
      this.tooLarge.push({ ...entry, server: { name, version } as ServerDocument });
      return;
    }
    this.#size += size;
    if (this.#size > maxTotalSize) {
      throw new Refused('the servers are too large for one file: select fewer with names, tag or deny');
    }
    this.entries.push(kept);
  }
}

/** Returns only the fields that a policy needs of an entry, because the rest can be large. */
function identityOf({ name, version, packages, remotes }: ServerDocument): ServerDocument {
  return { name, version, packages, remotes };
}

/** Returns all entries of the view. Those to export are the same objects, because formats memoize by object. */
function viewOf(
  entries: readonly VisibleEntry[],
  reader: PartReader,
  toVisible: (entry: ListedEntry) => VisibleEntry,
): Iterable<VisibleEntry> {
  const exported = new Set(entries.map(({ server }) => server.name));
  return {
    *[Symbol.iterator]() {
      yield* entries;
      for (const entry of reader.entries('view')) if (!exported.has(entry.server.name)) yield toVisible(entry);
    },
  };
}

function deniedOf(count: number, reader: PartReader): Iterable<VisibleEntry> {
  const lists = Array.from({ length: count }, (_, denied): RenderList => ({ denied }));
  const toVisible = withShortNames(new Set(lists.flatMap((list) => [...reader.names(list)])));
  return {
    *[Symbol.iterator]() {
      for (const list of lists) for (const entry of reader.entries(list)) yield toVisible(entry);
    },
  };
}

function withShortNames(names: ReadonlySet<string>): (entry: ListedEntry) => VisibleEntry {
  const short = shortNames(names, (text) => hash('sha256', text));
  return (entry) => ({ ...entry, shortName: short.get(entry.server.name) });
}

function tooLong({ maxBytes }: RenderRequest): string {
  return `the file would have more than ${maxBytes} bytes: select fewer servers`;
}

function demandUseful({ emptyBlocksEverything, client }: ExportFormat, { results }: Rendered): void {
  if (emptyBlocksEverything !== null || results.some(({ status }) => status === 'exported')) return;
  throw new Refused(`the file would be empty, which ${client} treats as no restriction at all`);
}

function toOutcome({ results, notes, faults }: Rendered, text: Uint8Array): RenderOutcome {
  const exported = results.filter(({ status }) => status === 'exported').map(({ name }) => name);
  return {
    kind: 'rendered',
    text,
    results: Buffer.from(JSON.stringify(results)),
    omitted: results.length - exported.length,
    exported,
    notes,
    faults: toFaults(faults),
  };
}

function toFaults(faults: readonly unknown[]): RenderFaults {
  return { count: faults.length, ...(faults.length > 0 && { first: toError(faults[0]) }) };
}

/** Returns a plain error, which can be copied between threads, unlike an error class with its own fields. */
function toError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return Object.assign(new Error(error.message), { name: error.name, stack: error.stack });
}
