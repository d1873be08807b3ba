import { writeCompactJson } from './json.js';

/** A value of the YAML subset. The elements of lists may be any JSON value. */
export type YamlValue = string | readonly unknown[] | YamlMap;

interface YamlMap {
  readonly [key: string]: YamlValue;
}

/** Keys that need no quotes. Keys of maps in flow style are always quoted. */
const PLAIN_KEY = /^[A-Za-z_]+$/;

/**
 * Returns YAML 1.2 in which nested maps are in block style and each list element is on one line. Every value is JSON,
 * which is valid YAML in flow style, so no string can be mistaken for another type. Much faster than a general YAML
 * writer.
 */
export function writeYaml(root: YamlMap): string {
  return `${mapLines(root, '').join('\n')}\n`;
}

function mapLines(map: YamlMap, indent: string): string[] {
  return Object.entries(map).flatMap(([key, value]): string[] => {
    if (!PLAIN_KEY.test(key)) throw new Error(`${key}: cannot be written as a plain YAML key`);
    const head = `${indent}${key}:`;
    if (isEmpty(value)) return [`${head} ${writeCompactJson(value)}`];
    if (Array.isArray(value)) return [head, ...value.map((each) => `${indent}  - ${writeCompactJson(each)}`)];
    return [head, ...mapLines(value as YamlMap, `${indent}  `)];
  });
}

/** Returns whether a value has no members or elements that need a block of their own. */
function isEmpty(value: YamlValue): boolean {
  return typeof value !== 'object' || Object.keys(value).length === 0;
}

/**
 * Reads only the subset of YAML that `writeYaml` writes, so that a document has exactly one meaning. Throws for any
 * other line.
 */
export function readYaml(text: string): unknown {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line has no end');
  const reader = new LineReader(lines);
  const root = readMap(reader, '');
  reader.demandEnd();
  return root;
}

class LineReader {
  #at = 0;

  constructor(private readonly lines: readonly string[]) {}

  /** Consumes and returns the next line if it matches. Otherwise it remains the next line. */
  take(pattern: RegExp): RegExpExecArray | null {
    const found = pattern.exec(this.lines[this.#at] ?? '');
    if (found) this.#at++;
    return found;
  }

  demandEnd(): void {
    if (this.#at < this.lines.length) throw new Error(`line ${this.#at + 1}: belongs to neither a map nor a list`);
  }
}

function readMap(reader: LineReader, indent: string): Record<string, unknown> {
  const entries = new Map<string, unknown>();
  const pattern = new RegExp(`^${indent}([A-Za-z_]+):(?: (.+))?$`);
  for (let found = reader.take(pattern); found; found = reader.take(pattern)) {
    const [, key = '', json] = found;
    if (entries.has(key)) throw new Error(`${key}: occurs twice`);
    entries.set(key, json === undefined ? readBlock(reader, `${indent}  `) : JSON.parse(json));
  }
  return Object.fromEntries(entries);
}

function readBlock(reader: LineReader, indent: string): unknown {
  const items: unknown[] = [];
  const pattern = new RegExp(`^${indent}- (.+)$`);
  for (let found = reader.take(pattern); found; found = reader.take(pattern)) items.push(JSON.parse(found[1] ?? ''));
  return items.length > 0 ? items : readMap(reader, indent);
}
