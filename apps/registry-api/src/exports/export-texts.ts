import type { Logger } from 'pino';
import { BoundedMap } from '#domain/bounded-map.js';
import type { ExportFormat } from '#exports/export-format.js';
import type { NoteName } from '#exports/omission.js';
import { PreparedAnswer } from '../http/prepared-answer.js';
import type { AnswerResources } from '../http/prepared-answer.js';
import { API_LIMITS } from '../limits.js';

import type { RenderFaults, RenderOutcome } from './render-task.js';
import { RenderQueue } from './render-queue.js';

/** The rendered text of an export for one state of the catalogue. */
export interface ExportText {
  readonly tag: string;
  readonly revision: string;
  readonly answer: PreparedAnswer;
  readonly changedAtMs: number | undefined;
  /** The result of each entry, as a JSON array. */
  readonly results: Buffer;
  readonly omitted: number;
  /** The names of the entries that the text contains. */
  readonly exported: readonly string[];
  readonly notes: readonly NoteName[];
  /** Why the current state could not be rendered. If set, this is the last good text. */
  readonly failure?: { readonly revision: string; readonly message: string };
}

/** An export to be rendered. */
export interface ExportTask {
  /** Identifies the export regardless of the state of the catalogue: view, visible sources, format and parameters. */
  readonly place: string;
  /** Identifies the export in the current state. */
  readonly tag: string;
  readonly revision: string;
  readonly changedAtMs: number | undefined;
  readonly format: Pick<ExportFormat, 'id' | 'purpose'>;
  render(): Promise<RenderOutcome>;
}

interface FailedRendering {
  readonly tag: string;
  readonly untilMs: number;
  /** The known names of the state that could not be rendered. */
  readonly names: readonly string[];
  readonly refusal?: ExportRefused;
}

/** Thrown if neither the current state nor an earlier one could be rendered. */
export class ExportFailed extends Error {
  constructor(format: string) {
    super(`the format ${format} cannot be rendered at the moment; see the log of the server`);
    this.name = 'ExportFailed';
  }
}

/** Thrown if the requested export cannot be expressed in this format. */
export class ExportRefused extends Error {
  override readonly name = 'ExportRefused';
}

/**
 * An LRU cache of rendered texts. Concurrent equal requests share one rendering (singleflight). A text that fails the
 * check of its own format is never sent. The last good one is sent instead, because clients interpret a broken or empty
 * policy as "block everything". A policy that contains an entry which has been removed is not sent either, because it
 * would still allow what was withdrawn.
 */
export class ExportTexts {
  readonly #kept = new Map<string, { readonly text: ExportText; bytes: number }>();
  readonly #running = new Map<string, Promise<ExportText>>();
  readonly #failures = new Map<string, number>();
  /** The renderings that failed recently, by place. */
  readonly #failed = new BoundedMap<string, FailedRendering>(API_LIMITS.keptExports);
  readonly #queue = new RenderQueue();
  #bytes = 0;

  constructor(
    private readonly resources: AnswerResources,
    private readonly logger: Logger,
  ) {}

  /** Number of failed renderings so far, by format. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Returns how many entries an export contains and omits. Undefined if it was not rendered in this state. */
  counts({ place, tag }: Pick<ExportTask, 'place' | 'tag'>): { served: number; omitted: number } | undefined {
    const text = this.#kept.get(place)?.text;
    return text?.tag === tag ? { served: text.exported.length, omitted: text.omitted } : undefined;
  }

  /**
   * Returns the text of an export. A rendering that failed is not repeated for some time, because it may have taken all
   * memory and time that a rendering may take. Throws the errors of `render` that are meant for the client,
   * `ExportRefused`, `ExportFailed` and `ExportBusy`.
   */
  async get(task: ExportTask): Promise<ExportText> {
    const { place, tag } = task;
    const known = this.#kept.get(place);
    if (known?.text.tag === tag) {
      this.#kept.delete(place);
      this.#kept.set(place, known);
      return known.text;
    }
    const failed = this.#failed.get(place);
    if (failed?.tag === tag && performance.now() < failed.untilMs) {
      if (failed.refusal) throw failed.refusal;
      return this.#lastGood(task, failed.names);
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
    if (outcome.kind === 'refused') {
      const refusal = new ExportRefused(outcome.message);
      this.#remember(task, { refusal, names: [] });
      throw refusal;
    }
    this.#report(outcome.faults, id);
    return outcome.kind === 'broken' ? this.#fallBack(task, outcome.error, outcome.names) : this.#keep(task, outcome);
  }

  #report({ count, first }: RenderFaults, format: string): void {
    if (first) this.logger.error({ err: first, entries: count, format }, 'entries could not be exported');
  }

  #fallBack(task: ExportTask, error: unknown, names: readonly string[]): ExportText {
    const { id } = task.format;
    this.#failures.set(id, (this.#failures.get(id) ?? 0) + 1);
    this.logger.error({ err: error, format: id }, 'an export could not be rendered');
    this.#remember(task, { names });
    return this.#lastGood(task, names);
  }

  #remember({ place, tag }: ExportTask, failed: Pick<FailedRendering, 'names' | 'refusal'>): void {
    this.#failed.set(place, { ...failed, tag, untilMs: performance.now() + API_LIMITS.failedExportMs });
  }

  /**
   * Returns the last text that could be rendered. Throws `ExportFailed` if there is none, or if it is a policy with
   * entries that are not in `names`, the known names of the revision that failed.
   */
  #lastGood({ place, format, revision }: ExportTask, names: readonly string[]): ExportText {
    const last = this.#kept.get(place)?.text;
    if (!last || (format.purpose === 'policy' && !holdsOnly(last, names))) throw new ExportFailed(format.id);
    return { ...last, failure: { revision, message: 'the text of this revision could not be rendered' } };
  }

  #keep({ place, tag, revision, changedAtMs }: ExportTask, rendered: RenderOutcome & { kind: 'rendered' }): ExportText {
    const { omitted, exported, notes } = rendered;
    const [body, results] = [toBuffer(rendered.text), toBuffer(rendered.results)];
    // The text is counted right away. The first response made from it counts the text again, so that is subtracted
    // once.
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

  /** Adds memory that a cached text takes, and evicts the least recently used texts above the limit. */
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

/** Wraps a buffer as an answer from which responses can be prepared. */
export function answerOf(body: Buffer): ConstructorParameters<typeof PreparedAnswer>[0] {
  return { compose: () => ({ partCount: 1, fetchedBytes: 0, ownBytes: body.length, body: () => [body] }) };
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Whether every entry in a text still exists. */
function holdsOnly({ exported }: ExportText, names: readonly string[]): boolean {
  const current = new Set(names);
  return exported.every((name) => current.has(name));
}

/** Whether an error is meant for the client or says that the database is unavailable. */
function isClientFault(error: unknown): boolean {
  return (
    error instanceof Error && ['Problem', 'Refusal', 'DatabaseAway', 'BodyChanged', 'Overloaded'].includes(error.name)
  );
}
