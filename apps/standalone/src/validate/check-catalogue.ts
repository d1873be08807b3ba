import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { offsetOf } from '#sources/yaml/yaml-offset.js';
import type { QuarantinedEntry } from '#domain/catalogue-entry.js';
import { NothingServable } from '#domain/nothing-servable.js';
import { RegistryError } from '#domain/registry-error.js';
import type { FileFormat } from '#sources/formats/layouts.js';
import { isBundle } from '#sources/files/bundle.js';
import { SyntaxFault } from '#sources/formats/not-json.js';
import { readCatalogue } from '#sources/formats/read-catalogue.js';
import { MAX_FILE_BYTES } from '#sources/source.js';
import type { DocumentFault } from '../documents/document-fault.js';

/** The formats that people write, in the order in which they are tried if no format is given. */
const FORMATS: readonly FileFormat[] = ['upstream', 'toolhive'];

interface Refusal {
  readonly error: RegistryError;
}

interface Quarantined {
  readonly entry: QuarantinedEntry;
  /** Position of the entry in the file, in bytes. */
  readonly offset: number;
  readonly length: number;
}

interface Outcome {
  readonly quarantined: readonly Quarantined[];
  readonly refusal?: Refusal;
}

/**
 * Parses a catalogue file like a sync, and returns everything that a sync would reject or quarantine, with line
 * numbers. If no format is given, the matching one is used. `name` stands for the file in messages.
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
    // In a bundle of several files, the key of an entry is its file, so no line is given.
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
  // An error about the content is more helpful than one about the format.
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
    // The errors of the entries already say that none can be served.
    if (error instanceof NothingServable) return { quarantined };
    // If the file does not have this format, its entries mean nothing.
    return { quarantined: error.reason === 'FormatMismatch' ? [] : quarantined, refusal: { error } };
  }
}

function describeRefusal(name: string, error: RegistryError): DocumentFault {
  const message = error.message.replace(`${name} `, '');
  return { file: name, ...(error instanceof SyntaxFault && { line: error.line }), message };
}

/** Returns a function that converts offsets to line numbers from 1. The offsets must not decrease. */
function lineReader(text: Buffer): (offset: number) => number {
  let line = 1;
  let at = 0;
  return (offset) => {
    for (; at < offset; at++) if (text[at] === 0x0a) line++;
    return line;
  };
}

/**
 * Returns the number of lines between the start of an entry and the value at a path such as
 * `packages[0].transport.url`.
 */
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
