import { hash } from 'node:crypto';
import { on } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { compileGlob } from '#domain/glob.js';
import type { Glob } from '#domain/glob.js';
import type { ServerDocument } from '#domain/server-document.js';
import { TextRefused } from '#exports/export-format.js';
import type { ExportFormat, Rendered } from '#exports/export-format.js';
import { findFormat } from '#exports/index.js';
import { shortNames } from '#exports/short-names.js';
import type { VisibleEntry } from '#exports/visible-entry.js';
import type { RenderFaults, RenderOutcome, RenderPart, RenderRequest, RenderTask } from './render-task.js';

type Entry = Omit<VisibleEntry, 'shortName'>;

/** An entry on a page of the list API. */
interface Listed {
  readonly server: ServerDocument;
  readonly _meta: { readonly 'io.modelcontextprotocol.registry/official': { readonly status: string } };
}

/** Thrown if the requested export cannot be rendered. */
class Refused extends Error {}

/** Renders one export. The pool gives a thread one task at a time. */
export default async function runTask({ request, parts }: RenderTask): Promise<RenderOutcome> {
  try {
    const format = findFormat(request.format);
    if (!format) throw new Error(`there is no format ${request.format}`);
    return render(format, request, await Input.read(parts, request));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { kind: 'refused', message: error.message };
  } finally {
    parts.close();
  }
}

/** Collects the entries as they are read, and counts those of the export against its limit. */
class Input {
  readonly view: Entry[] = [];
  /** Whether the parameters select the entry of the view with the same index. */
  readonly isChosen: boolean[] = [];
  readonly denied: Entry[] = [];
  readonly #tagged = new Set<string>();
  readonly #globs: readonly Glob[];
  #chosen = 0;

  private constructor(private readonly request: RenderRequest) {
    this.#globs = request.names.map(compileGlob);
  }

  /** Reads all parts. Throws `Refused` as soon as there are too many entries. */
  static async read(parts: MessagePort, request: RenderRequest): Promise<Input> {
    const input = new Input(request);
    for await (const [part] of on(parts, 'message', { close: ['close'] }) as AsyncIterable<[RenderPart]>) {
      if (part.kind === 'end') return input;
      input.#take(part);
      parts.postMessage(null);
    }
    throw new Error('the entries were not read completely');
  }

  #take(part: Exclude<RenderPart, { kind: 'end' }>): void {
    if (part.kind === 'tagged') {
      for (const name of part.names) this.#tagged.add(name);
      return;
    }
    for (const entry of entriesOf(part.page)) {
      if (part.kind === 'denied') this.denied.push(entry);
      else this.#takeVisible(entry);
    }
  }

  #takeVisible(entry: Entry): void {
    const isChosen = this.#chooses(entry);
    this.isChosen.push(isChosen);
    this.view.push(isChosen ? entry : { ...entry, server: identityOf(entry.server) });
    if (isChosen && ++this.#chosen > this.request.maxEntries) {
      throw new Refused(
        `more than ${this.request.maxEntries} servers do not fit into one file: select fewer with names, tag or deny`,
      );
    }
  }

  #chooses({ server: { name }, status }: Entry): boolean {
    const { isTagged, withDeprecated } = this.request;
    return (
      (!isTagged || this.#tagged.has(name)) &&
      (withDeprecated || status === 'active') &&
      (this.#globs.length === 0 || this.#globs.some((glob) => glob.matches(name)))
    );
  }
}

function entriesOf(page: Uint8Array): Entry[] {
  const { servers } = JSON.parse(Buffer.from(page.buffer, page.byteOffset, page.byteLength).toString()) as {
    servers: readonly Listed[];
  };
  return servers.map(({ server, _meta }) => ({
    server,
    status: _meta['io.modelcontextprotocol.registry/official'].status === 'deprecated' ? 'deprecated' : 'active',
  }));
}

/** Returns only the fields that a policy needs of an entry that is not exported, because a view can be large. */
function identityOf({ name, version, packages, remotes }: ServerDocument): ServerDocument {
  return { name, version, packages, remotes };
}

function render(format: ExportFormat, request: RenderRequest, input: Input): RenderOutcome {
  const view = withShortNames(input.view);
  const chosen = view.filter((_, index) => input.isChosen[index]);
  const options = { ...request.options, view, ...(request.denies && { denied: withShortNames(input.denied) }) };
  let rendered: Rendered;
  try {
    rendered = format.render(chosen, options);
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
  if (text.length > request.maxBytes) {
    throw new Refused(`the file would have more than ${request.maxBytes} bytes: select fewer servers`);
  }
  return toOutcome(rendered, text);
}

function withShortNames(entries: readonly Entry[]): VisibleEntry[] {
  const short = shortNames(
    entries.map(({ server }) => server.name),
    (text) => hash('sha256', text),
  );
  return entries.map((entry) => ({ ...entry, shortName: short.get(entry.server.name) }));
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
