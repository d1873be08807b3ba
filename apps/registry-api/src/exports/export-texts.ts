import type { Logger } from 'pino';
import type { EntryResult, ExportFormat, Rendered } from '#exports/export-format.js';
import type { NoteName } from '#exports/omission.js';
import { RenderQueue } from './render-queue.js';

/** Texts that are kept, and their bytes: the least recently used goes first. */
const KEPT_TEXTS = 64;
const KEPT_BYTES = 32 * 1024 * 1024;

/** A text as it was rendered from one state of the catalogue. */
export interface ExportText {
  readonly tag: string;
  readonly revision: string;
  readonly body: Buffer;
  readonly changedAtMs: number | undefined;
  readonly results: readonly EntryResult[];
  readonly notes: readonly NoteName[];
  /** Why the current state could not be rendered: this is the last good text. */
  readonly failure?: { readonly revision: string; readonly message: string };
}

/** What is to be rendered. */
export interface ExportTask {
  /** Names what is asked for, whatever the state: view, visible sources, format and parameters. */
  readonly place: string;
  /** Names it in the current state. */
  readonly tag: string;
  readonly revision: string;
  readonly changedAtMs: number | undefined;
  readonly format: ExportFormat;
  render(): Promise<Rendered>;
}

/** Neither the current state nor an earlier one could be rendered. */
export class ExportFailed extends Error {
  constructor(format: string) {
    super(`the format ${format} cannot be rendered at the moment; the log of the server says why`);
    this.name = 'ExportFailed';
  }
}

/**
 * An LRU cache of rendered texts. Equal requests share one rendering (singleflight), and a text that fails its format's own
 * check is never sent: the last good one is, since clients take a broken or empty policy for "block everything". A policy that
 * still holds an entry which has left is not sent either: it would admit what was withdrawn.
 */
export class ExportTexts {
  readonly #kept = new Map<string, ExportText>();
  readonly #running = new Map<string, Promise<ExportText>>();
  readonly #failures = new Map<string, number>();
  readonly #queue = new RenderQueue();
  #bytes = 0;

  constructor(private readonly logger: Logger) {}

  /** Renderings that failed so far, by format. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** The text that is kept for a task in its current state. */
  peek({ place, tag }: Pick<ExportTask, 'place' | 'tag'>): ExportText | undefined {
    const known = this.#kept.get(place);
    return known?.tag === tag ? known : undefined;
  }

  /** Throws what `render` throws of a client's doing, `ExportFailed` and `ExportBusy`. */
  get(task: ExportTask): Promise<ExportText> {
    const known = this.peek(task);
    if (known) {
      this.#keep(task.place, known);
      return Promise.resolve(known);
    }
    const key = `${task.place}\n${task.tag}`;
    const running =
      this.#running.get(key) ?? this.#queue.run(() => this.#render(task)).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  async #render(task: ExportTask): Promise<ExportText> {
    const { place, tag, revision, changedAtMs, format } = task;
    let rendered: Rendered | undefined;
    try {
      rendered = await task.render();
      const { text, results, notes, faults } = rendered;
      for (const err of faults) this.logger.error({ err, format: format.id }, 'an entry could not be exported');
      format.check(text);
      const made = { tag, revision, changedAtMs, body: Buffer.from(text), results, notes };
      this.#keep(place, made);
      return made;
    } catch (error) {
      if (isClientFault(error)) throw error;
      this.#failures.set(format.id, (this.#failures.get(format.id) ?? 0) + 1);
      this.logger.error({ err: error, format: format.id }, 'an export could not be rendered');
      const last = this.#kept.get(place);
      if (!last || (format.purpose === 'policy' && !holdsOnly(last, rendered))) throw new ExportFailed(format.id);
      return { ...last, failure: { revision, message: 'the text of this revision could not be rendered' } };
    }
  }

  #keep(place: string, text: ExportText): void {
    const before = this.#kept.get(place);
    this.#bytes += text.body.length - (before?.body.length ?? 0);
    this.#kept.delete(place);
    this.#kept.set(place, text);
    for (const [oldest, { body }] of this.#kept) {
      if (oldest === place || (this.#kept.size <= KEPT_TEXTS && this.#bytes <= KEPT_BYTES)) break;
      this.#kept.delete(oldest);
      this.#bytes -= body.length;
    }
  }
}

/** Whether every entry that a text holds is still there; no when it is not known which are. */
function holdsOnly(text: ExportText, current: Rendered | undefined): boolean {
  const names = new Set(current?.results.map(({ name }) => name));
  return text.results.every(({ name, status }) => status === 'omitted' || names.has(name));
}

/** Whether an error is an answer to the client, or says that the database is away. */
function isClientFault(error: unknown): boolean {
  return error instanceof Error && ['Problem', 'DatabaseAway', 'BodyChanged', 'Overloaded'].includes(error.name);
}
