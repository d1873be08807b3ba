import type { Logger } from 'pino';
import type { ExportFormat } from '#exports/export-format.js';
import type { NoteName } from '#exports/omission.js';
import { PreparedAnswer } from '../http/prepared-answer.js';
import type { AnswerResources } from '../http/prepared-answer.js';
import { API_LIMITS } from '../limits.js';
import type { RenderFaults, RenderOutcome } from './render-task.js';
import { RenderQueue } from './render-queue.js';

/** A text as it was rendered from one state of the catalogue. */
export interface ExportText {
  readonly tag: string;
  readonly revision: string;
  readonly answer: PreparedAnswer;
  readonly changedAtMs: number | undefined;
  /** What became of each entry, as a JSON array. */
  readonly results: Buffer;
  readonly omitted: number;
  /** The names of entries that have a text in it. */
  readonly exported: readonly string[];
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
  readonly format: Pick<ExportFormat, 'id' | 'purpose'>;
  render(): Promise<RenderOutcome>;
}

/** Neither the current state nor an earlier one could be rendered. */
export class ExportFailed extends Error {
  constructor(format: string) {
    super(`the format ${format} cannot be rendered at the moment; the log of the server says why`);
    this.name = 'ExportFailed';
  }
}

/** What was asked for has no text in this format. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}

/**
 * An LRU cache of rendered texts. Equal requests share one rendering (singleflight), and a text that fails its format's own
 * check is never sent: the last good one is, since clients take a broken or empty policy for "block everything". A policy that
 * still holds an entry which has left is not sent either: it would admit what was withdrawn.
 */
export class ExportTexts {
  readonly #kept = new Map<string, { readonly text: ExportText; bytes: number }>();
  readonly #running = new Map<string, Promise<ExportText>>();
  readonly #failures = new Map<string, number>();
  readonly #queue = new RenderQueue();
  #bytes = 0;

  constructor(
    private readonly resources: AnswerResources,
    private readonly logger: Logger,
  ) {}

  /** Renderings that failed so far, by format. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Throws what `render` throws of a client's doing, `ExportRefused`, `ExportFailed` and `ExportBusy`. */
  get(task: ExportTask): Promise<ExportText> {
    const { place, tag } = task;
    const known = this.#kept.get(place);
    if (known?.text.tag === tag) {
      this.#kept.delete(place);
      this.#kept.set(place, known);
      return Promise.resolve(known.text);
    }
    const key = `${place}\n${tag}`;
    const running =
      this.#running.get(key) ?? this.#queue.run(() => this.#render(task)).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }

  async #render(task: ExportTask): Promise<ExportText> {
    const { id } = task.format;
    let outcome: RenderOutcome;
    try {
      outcome = await task.render();
    } catch (error) {
      if (isClientFault(error)) throw error;
      return this.#fallBack(task, error, []);
    }
    if (outcome.kind === 'refused') throw new ExportRefused(outcome.message);
    this.#report(outcome.faults, id);
    return outcome.kind === 'broken' ? this.#fallBack(task, outcome.error, outcome.names) : this.#keep(task, outcome);
  }

  #report({ count, first }: RenderFaults, format: string): void {
    if (first) this.logger.error({ err: first, entries: count, format }, 'entries could not be exported');
  }

  /** Returns the last good text. `names`: what the current one would hold, as far as that is known. */
  #fallBack({ place, format, revision }: ExportTask, error: unknown, names: readonly string[]): ExportText {
    this.#failures.set(format.id, (this.#failures.get(format.id) ?? 0) + 1);
    this.logger.error({ err: error, format: format.id }, 'an export could not be rendered');
    const last = this.#kept.get(place)?.text;
    if (!last || (format.purpose === 'policy' && !holdsOnly(last, names))) throw new ExportFailed(format.id);
    return { ...last, failure: { revision, message: 'the text of this revision could not be rendered' } };
  }

  #keep({ place, tag, revision, changedAtMs }: ExportTask, rendered: RenderOutcome & { kind: 'rendered' }): ExportText {
    const { omitted, exported, notes } = rendered;
    const [body, results] = [toBuffer(rendered.text), toBuffer(rendered.results)];
    // The text itself is counted from the beginning, and again when the answer is first made of it.
    let counted = body.length;
    const answer = new PreparedAnswer(answerOf(body), this.resources, (bytes) => {
      this.#grow(place, text, bytes - counted);
      counted = 0;
    });
    const text: ExportText = { tag, revision, answer, changedAtMs, results, omitted, exported, notes };
    this.#drop(place);
    this.#kept.set(place, { text, bytes: 0 });
    this.#grow(place, text, body.length + results.length);
    return text;
  }

  /** Counts memory that a kept text takes; above the limit the least recently used go. */
  #grow(place: string, text: ExportText, bytes: number): void {
    const kept = this.#kept.get(place);
    if (kept?.text !== text) return;
    kept.bytes += bytes;
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      const isWithin = this.#kept.size <= API_LIMITS.keptExports && this.#bytes <= API_LIMITS.keptExportBytes;
      if (oldest === place || isWithin) break;
      this.#drop(oldest);
    }
  }

  #drop(place: string): void {
    this.#bytes -= this.#kept.get(place)?.bytes ?? 0;
    this.#kept.delete(place);
  }
}

/** A body of its own memory, as answers are prepared from. */
export function answerOf(body: Buffer): ConstructorParameters<typeof PreparedAnswer>[0] {
  return { compose: () => ({ partCount: 1, fetchedBytes: 0, ownBytes: body.length, body: () => [body] }) };
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Whether every entry that a text holds is still there. */
function holdsOnly({ exported }: ExportText, names: readonly string[]): boolean {
  const current = new Set(names);
  return exported.every((name) => current.has(name));
}

/** Whether an error is an answer to the client, or says that the database is away. */
function isClientFault(error: unknown): boolean {
  return (
    error instanceof Error && ['Problem', 'Refusal', 'DatabaseAway', 'BodyChanged', 'Overloaded'].includes(error.name)
  );
}
