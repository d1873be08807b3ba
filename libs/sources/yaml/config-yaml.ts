import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter } from 'yaml';
import type { Document, YAMLParseError } from 'yaml';
import { WALK_BUDGET } from '#domain/bounded-walk.js';
import { yamlErrorPhrase } from './yaml-error.js';
import { offsetOf } from './yaml-offset.js';
import { readTokens } from './yaml-tokens.js';

/** An error in a text and its line, starting at 1. */
export interface TextFault {
  readonly line: number;
  readonly message: string;
}

/** A parsed configuration that also knows the lines of its values. */
export interface ConfigYaml {
  readonly content: unknown;
  /** Returns the line at which the value at a path starts. */
  lineOf(path: readonly (string | number)[]): number;
}

/**
 * Maximum length of a YAML text in characters, which is far more than users write by hand. For a text of this length,
 * the parser needs up to 100 MB, because it keeps every error that it finds.
 */
export const YAML_LIMIT = 64 * 1024;

/** Maximum number of errors that are reported, because one mistake, such as a missing bracket, may cause thousands. */
const REPORTED_FAULTS = 20;

/**
 * Parses YAML that a user wrote, in time proportional to its length. Aliases are rejected, because they can make a
 * short text expand to a huge value. The parser's own search for duplicate keys is replaced, because it takes quadratic
 * time. Never throws.
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
    // The token parser and the composer are both partly recursive.
    if (!(error instanceof RangeError)) throw error;
    return { faults: [{ line: 1, message: TOO_DEEP }] };
  }
}

/** The message omits the name of the alias, because it may be a password that starts with an asterisk. */
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

/** Finds aliases, duplicate keys, and values beyond the budget, without recursion. */
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

/** Finds keys that are not strings or that occur twice in one object. */
function keyFaults(keys: readonly unknown[]): Fault[] {
  const seen = new Set<string>();
  return keys.flatMap((key): Fault[] => {
    if (isAlias(key)) return [];
    const name = isScalar(key) ? String(key.value) : undefined;
    if (name === undefined) return [{ offset: offsetIn(key), message: 'has a key that is not a string' }];
    if (seen.has(name)) return [syntaxFault(offsetIn(key), 'DUPLICATE_KEY')];
    seen.add(name);
    return [];
  });
}

function offsetIn(node: unknown): number {
  return (node as { readonly range?: readonly number[] } | null | undefined)?.range?.[0] ?? 0;
}
