import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { offsetOf } from '#sources/yaml/yaml-offset.js';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { RegistryError } from '#domain/registry-error.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import { isBundle } from '#sources/files/bundle.js';
import { SyntaxFault } from '#sources/formats/not-json.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { MAX_FILE_BYTES } from '#sources/source.js';
import type { DocumentFault } from '../documents/document-fault.js';

/** The formats that people write, in the order in which they are tried when none is given. */
const FORMATS: readonly FileFormat[] = ['upstream', 'toolhive'];

interface Refusal {
  readonly error: RegistryError;
}

interface Quarantined {
  readonly entry: QuarantinedEntry;
  /** The place of the entry in the file, in bytes. */
  readonly offset: number;
  readonly length: number;
}

interface Outcome {
  readonly quarantined: readonly Quarantined[];
  readonly refusal?: Refusal;
}

/**
 * Reads a catalogue file as a sync would and returns all that a sync would refuse or quarantine, each with its line. Without
 * a format, the one that fits is taken. `name` stands for the file in messages.
 */
export async function checkCatalogue(
  path: string,
  name: string,
  format?: FileFormat,
  defaultNamespace?: string,
): Promise<DocumentFault[]> {
  const outcome = await (format ? read(path, name, format, defaultNamespace) : readAsAny(path, name));
  const text = outcome.quarantined.length > 0 ? await readFile(path) : Buffer.alloc(0);
  const lines = lineReader(text);
  const inOrder = outcome.quarantined.toSorted((a, b) => a.offset - b.offset);
  const faults = inOrder.map(({ entry, offset, length }) => ({
    file: name,
    // The key of an entry of several files is its file.
    ...(!isBundle(text) && {
      line: lines(offset) + lineWithin(text.subarray(offset, offset + length).toString(), entry.path),
    }),
    field: [entry.key, entry.path].filter(Boolean).join(': '),
    message: entry.message,
  }));
  return outcome.refusal ? [...faults, describeRefusal(name, outcome.refusal.error)] : faults;
}

async function readAsAny(path: string, name: string): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  for (const each of FORMATS) {
    const outcome = await read(path, name, each);
    if (!outcome.refusal || outcome.quarantined.length > 0) return outcome;
    outcomes.push(outcome);
  }
  // The refusal that is about the content says more than one about the format.
  return outcomes.find(({ refusal }) => refusal?.error.reason !== 'FormatMismatch') ?? (outcomes[0] as Outcome);
}

async function read(path: string, name: string, format: FileFormat, defaultNamespace?: string): Promise<Outcome> {
  const quarantined: Quarantined[] = [];
  try {
    for await (const items of readCatalogue(path, format, {
      file: name,
      maxFileBytes: MAX_FILE_BYTES,
      defaultNamespace,
    })) {
      for (const item of items) {
        if ('quarantined' in item)
          quarantined.push({ entry: item.quarantined, offset: item.offset, length: item.length });
      }
    }
    return { quarantined };
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    // The faults of the entries already say that none can be served.
    return quarantined.length > 0 && !(error instanceof SyntaxFault)
      ? { quarantined }
      : { quarantined, refusal: { error } };
  }
}

function describeRefusal(name: string, error: RegistryError): DocumentFault {
  const message = error.message.replace(`${name} `, '');
  return { file: name, ...(error instanceof SyntaxFault && { line: error.line }), message };
}

/** Returns a function from offsets, which must not decrease, to line numbers from 1. */
function lineReader(text: Buffer): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    for (; at < offset; at++) if (text[at] === 0x0a) line++;
    return line;
  };
}

/** Returns how many lines below the start of an entry the value at a path such as `packages[0].transport.url` stands. */
function lineWithin(text: string, path: string): number {
  if (path === '' || text === '') return 0;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
  return document.contents ? lines.linePos(offsetOf(document as never, stepsOf(path))).line - 1 : 0;
}

function stepsOf(path: string): (string | number)[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  );
}
