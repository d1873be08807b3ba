import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter } from 'yaml';
import type { Document, YAMLParseError } from 'yaml';
import { WALK_BUDGET } from '#domain/bounded-walk.js';
import { yamlErrorPhrase } from './yaml-error.js';
import { offsetOf } from './yaml-offset.js';
import { readTokens } from './yaml-tokens.js';

/** Something that is wrong with a text, and its line, counted from 1. */
export interface TextFault {
  readonly line: number;
  readonly message: string;
}

/** A configuration as it was written. */
export interface ConfigYaml {
  readonly content: unknown;
  /** Returns the line where the value at a path begins. */
  lineOf(path: readonly (string | number)[]): number;
}

/**
 * The longest YAML text that is read, in characters: far more than people write by hand. The parser needs up to 100 MB for one of this
 * length, since it keeps every error that it finds.
 */
export const YAML_LIMIT = 64 * 1024;

/** One mistake, such as a forgotten bracket, may count as thousands. */
const REPORTED_FAULTS = 20;

/**
 * Reads YAML that a user wrote, in time proportional to its length: aliases, which make a short text a huge value, are
 * refused, and the parser's own search for duplicate keys, which takes quadratic time, is replaced. Never throws.
 */
export function parseConfigYaml(text: string): ConfigYaml | { readonly faults: readonly TextFault[] } {
  const lines = new LineCounter();
  const at = (offset: number) => lines.linePos(offset).line;
  try {
    const { document, faults } = compose(text, lines);
    if (!document || faults.length > 0) {
      return { faults: faults.slice(0, REPORTED_FAULTS).map(({ offset, message }) => ({ line: at(offset), message })) };
    }
    return { content: document.toJS({ maxAliasCount: 0 }), lineOf: (path) => at(offsetOf(document, path)) };
  } catch (error) {
    // Both the parser of tokens and their composer are recursive in parts.
    if (!(error instanceof RangeError)) throw error;
    return { faults: [{ line: 1, message: TOO_DEEP }] };
  }
}

/** Without its name, which may be a password that begins with an asterisk. */
const ALIAS = 'has an alias (*name), which is not allowed: write the value out, or quote text that begins with *';

const TOO_DEEP = `is nested too deeply to be read: at most ${WALK_BUDGET.depth} levels are allowed`;

interface Fault {
  readonly offset: number;
  readonly message: string;
}

interface Composed {
  readonly document?: Document.Parsed;
  readonly faults: readonly Fault[];
}

function compose(text: string, lines: LineCounter): Composed {
  const read = readTokens(text, lines, { depth: WALK_BUDGET.depth + 1, errors: REPORTED_FAULTS });
  if ('tooDeepAt' in read) return { faults: [{ offset: read.tooDeepAt, message: TOO_DEEP }] };
  if ('errors' in read) return { faults: read.errors.map((offset) => syntaxFault(offset, 'UNEXPECTED_TOKEN')) };
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false });
  const [document, second] = composer.compose(read.tokens, true, text.length);
  if (!document) return { faults: [] };
  const errors = document.errors.map(({ pos, code }) => syntaxFault(pos[0], code));
  if (second) errors.push(syntaxFault(offsetIn(second), 'MULTIPLE_DOCS'));
  return { document, faults: errors.length > 0 ? errors : findFaults(document) };
}

function syntaxFault(offset: number, code: YAMLParseError['code']): Fault {
  return { offset, message: `is not YAML: ${yamlErrorPhrase({ code })}` };
}

/** Finds aliases, duplicate keys, and what is beyond the budget, without recursion. */
function findFaults({ contents }: Document.Parsed): Fault[] {
  const faults: Fault[] = [];
  const open: { readonly node: unknown; readonly depth: number }[] = [{ node: contents, depth: 0 }];
  let left = WALK_BUDGET.nodes;
  for (let next = open.pop(); next && faults.length < REPORTED_FAULTS; next = open.pop()) {
    const { node, depth } = next;
    const offset = offsetIn(node);
    if (left-- === 0) return [{ offset, message: `has more than ${WALK_BUDGET.nodes} values` }];
    if (depth > WALK_BUDGET.depth) return [{ offset, message: TOO_DEEP }];
    if (isAlias(node)) faults.push({ offset, message: ALIAS });
    if (isSeq(node)) for (const item of node.items) open.push({ node: item, depth: depth + 1 });
    if (!isMap(node)) continue;
    for (const fault of keyFaults(node.items.map(({ key }) => key))) faults.push(fault);
    for (const { key, value } of node.items)
      open.push({ node: key, depth: depth + 1 }, { node: value, depth: depth + 1 });
  }
  return faults.sort((one, other) => one.offset - other.offset);
}

/** Finds keys that are not text or that stand twice in one object. */
function keyFaults(keys: readonly unknown[]): Fault[] {
  const seen = new Set<string>();
  return keys.flatMap((key): Fault[] => {
    if (isAlias(key)) return [];
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined) return [{ offset: offsetIn(key), message: 'has a key that is not text' }];
    if (seen.has(name)) return [syntaxFault(offsetIn(key), 'DUPLICATE_KEY')];
    seen.add(name);
    return [];
  });
}

function offsetIn(node: unknown): number {
  return (node as { readonly range?: readonly number[] } | null | undefined)?.range?.[0] ?? 0;
}
