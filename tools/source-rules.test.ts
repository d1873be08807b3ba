import { glob, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { serverSources, sources } from '#sources/index.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CODE = '{apps,workflows,activities,libs,tools,test}/**/*.{ts,tsx,mjs}';
const isProduction = (file: string) => !/\.test\.ts$|\/testing\//.test(file);

/** Returns the matching lines of production code, as `file:line`. */
function find(pattern: RegExp): Promise<string[]> {
  return findIn('{apps,workflows,activities,libs}/**/*.ts', pattern, isProduction);
}

async function findIn(files: string, pattern: RegExp, includes = (_file: string) => true): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(files, { cwd: ROOT })) {
    if (!includes(file)) continue;
    const lines = (await readFile(`${ROOT}/${file}`, 'utf8')).split('\n');
    lines.forEach((line, at) => pattern.test(line) && found.push(`${file}:${at + 1}`));
  }
  return found;
}

/** `new URL` throws on targets such as `//`, and nothing in a listener catches the error. */
it('never parses a request target with `new URL`: compare paths, or take them from the router', async () => {
  const target = /new URL\([^)]*\b(req|request|message|incoming|raw)\b[\w.!?()]*\.(url|originalUrl)\b/;
  expect(target.test("const { pathname } = new URL(request.url ?? '/', 'http://x');")).toBe(true);
  expect(await find(target)).toEqual([]);
});

/**
 * A key from outside may be `constructor`, which every plain object inherits. Records that are received or sent are
 * read with `ownMember`.
 */
it('never keeps a table by untrusted strings in a plain object: use a Map', async () => {
  const table = /^(export )?const \w+: .*\bRecord<string,.* = \{(?!\})/;
  expect(table.test('const PATTERNS: Readonly<Record<string, RegExp>> = {')).toBe(true);
  expect(table.test("const NAMES: Record<string, string> = { npm: 'npx' };")).toBe(true);
  expect((await find(table)).filter((place) => !place.startsWith('libs/devstack/'))).toEqual([]);
});

/** The operator `in` looks for a property of the object. For a Map, that finds only methods and never entries. */
it('never queries a table with `in`', async () => {
  const asked = /\S in [A-Z][A-Z_]+\)/;
  expect(asked.test('names.filter((name) => extname(name) in CONTENT_TYPES);')).toBe(true);
  expect(await find(asked)).toEqual([]);
});

/** If a new listener is not in this list, add it to `test/integration/hostile-packets.test.ts` or to a similar test. */
it('listens only where a test sends hostile packets, or for a moment to find a free port', async () => {
  const files = (await find(/\.listen\((?!\))/)).map((place) => place.replace(/:\d+$/, ''));
  expect([...new Set(files)].sort()).toEqual([
    'apps/standalone/src/demand-free-ports.ts',
    'libs/http/guarded-proxy.ts',
    'libs/listener/listen.ts',
    'libs/temporal/free-port.ts',
  ]);
});

it('has one policy for uncaught errors', async () => {
  const files = (await find(/uncaughtException|unhandledRejection/)).map((place) => place.replace(/:\d+$/, ''));
  expect([...new Set(files)]).toEqual(['libs/observability/uncaught-errors.ts']);
});

it('has comments that are sentences about the code below them', async () => {
  const opening = /^\s*(\/\*\*|\/\/|\*) (Of|Likewise|Whoever|Nobody|Somebody) /;
  expect(opening.test('  /** Of the answer. */')).toBe(true);
  expect(await findIn(CODE, opening)).toEqual([]);
});

it('has comments and test titles in everyday words', async () => {
  const words = String.raw`\b(?:somebody|whoever|whomever|anew|for ever|likewise)\b`;
  const text = new RegExp(String.raw`^\s*(?:/\*\*|//|\*) .*${words}|\b(?:it|describe)\b[^'"]*['"][^'"]*${words}`, 'i');
  expect(text.test("  it('starts anew', () => {")).toBe(true);
  expect(text.test(' * Tells whoever asks.')).toBe(true);
  expect(text.test("fieldManager: 'somebody'")).toBe(false);
  expect(await findIn(CODE, text, (file) => !file.endsWith('source-rules.test.ts'))).toEqual([]);
});

/** A type of source declares everything about itself in its own file, and `findSource` returns the declaration. */
it('compares types of sources only in libs/sources', async () => {
  const blocks = [...sources, ...serverSources].map(({ block }) => block);
  const text = `(['"\`](${blocks.join('|')})['"\`]|\\w+Source\\.block)`;
  const sql = `\\btype (?:=|<>|IN \\() *${text}`;
  const comparison = new RegExp(`(?<!shape )[!=]==\\s*${text}|${text}\\s*[!=]==|${sql}`);
  for (const line of [
    "if (type === 'git') {",
    "'pvcRef' !== type",
    'type !== gitSource.block',
    "AND source.type = 'managed'",
  ]) {
    expect(comparison.test(line)).toBe(true);
  }
  expect(comparison.test("source.shape === 'file'")).toBe(false);
  const found = await find(comparison);
  expect(found.filter((place) => !/^(libs\/sources|apps\/console)\//.test(place))).toEqual([]);
});
